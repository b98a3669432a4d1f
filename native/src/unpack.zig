//! Carries out a plan: all cores decode entries and write the files that are parts of them.

const std = @import("std");
const builtin = @import("builtin");
const Allocator = std.mem.Allocator;
const entry_content = @import("entry.zig");
const manifest = @import("manifest.zig");
const plan_text = @import("plan.zig");
const rendering = @import("rendering.zig");
const Sha256 = @import("sha256.zig").Sha256;
const zip = @import("zip.zig");
const zstd = @import("zstd.zig");

/// The zip entry that holds the plan.
pub const plan_entry = ".czscie/plan";
const plan_length_max = 256 << 20;

/// Each thread holds one entry or one window of zstd: 64 MiB of memory are enough for all of them.
const threads_max = 8;

const has_modes = builtin.os.tag != .windows;

/// What went wrong, and with what: a path of the installation or a part of the executable.
pub const Failure = struct {
    err: anyerror,
    subject: []const u8,
};

/// Unpacks `file` of the executable into the empty `directory`, which will be at `places.root`. On `error.Failed`
/// and other errors `failure` has the particulars.
pub fn unpack(
    arena: Allocator,
    executable: std.fs.File,
    file: manifest.File,
    directory: std.fs.Dir,
    places: rendering.Places,
    failure: *Failure,
) !void {
    const entries = try zip.readDirectory(arena, executable, file.range());
    const plan = try readPlan(arena, executable, file, entries);
    const packed_entries = try arena.alloc(zip.Entry, plan.entries.len);
    for (plan.entries, packed_entries) |wanted, *slot| {
        slot.* = entries.get(wanted.name) orelse return error.CorruptZip;
        if (slot.length != wanted.length or slot.crc32 != wanted.crc32) return error.CorruptZip;
    }
    for (plan.directories) |path| directory.makeDir(path) catch |err| {
        failure.* = .{ .err = err, .subject = path };
        return error.Failed;
    };
    var unpacker: Unpacker = .{
        .executable = executable,
        .data_end = file.range().end,
        .plan = plan,
        .packed_entries = packed_entries,
        .directory = directory,
        .places = places,
        .failure = failure,
    };
    unpacker.run();
    if (unpacker.failed.load(.acquire)) return error.Failed;
    // Last of all, so that nothing is ever written through a link.
    for (plan.links) |link| directory.symLink(link.target, link.path, .{}) catch |err| {
        failure.* = .{ .err = err, .subject = link.path };
        return error.Failed;
    };
}

/// The plan, whose SHA-256 is the name of the installation: what it says is what was built.
pub fn readPlan(
    arena: Allocator,
    executable: std.fs.File,
    file: manifest.File,
    entries: std.StringHashMapUnmanaged(zip.Entry),
) !plan_text.Plan {
    const entry = entries.get(plan_entry) orelse return error.CorruptZip;
    if (entry.length > plan_length_max) return error.CorruptZip;
    const text = try arena.alloc(u8, @intCast(entry.length));
    var decoder: zstd.Decoder = try .init();
    defer decoder.deinit();
    var packed_bytes: []u8 = &.{};
    try entry_content.read(arena, executable, file.range().end, entry, decoder, &packed_bytes, text);
    var hash: Sha256 = .{};
    hash.update(text);
    if (!std.mem.eql(u8, &hash.finalHex(), file.digest)) return error.CorruptPlan;
    return plan_text.parse(arena, text);
}

const Unpacker = struct {
    executable: std.fs.File,
    data_end: u64,
    plan: plan_text.Plan,
    packed_entries: []const zip.Entry,
    directory: std.fs.Dir,
    places: rendering.Places,
    next: std.atomic.Value(u32) = .init(0),
    failed: std.atomic.Value(bool) = .init(false),
    mutex: std.Thread.Mutex = .{},
    failure: *Failure,

    /// Works on every core; on this thread alone where no other can be had.
    fn run(unpacker: *Unpacker) void {
        var threads: [threads_max]std.Thread = undefined;
        var started: usize = 0;
        const wanted = @min(std.Thread.getCpuCount() catch 1, threads_max, unpacker.plan.entries.len);
        while (started + 1 < wanted) : (started += 1) {
            threads[started] = std.Thread.spawn(.{ .stack_size = 1 << 20 }, work, .{unpacker}) catch break;
        }
        unpacker.work();
        for (threads[0..started]) |thread| thread.join();
    }

    fn work(unpacker: *Unpacker) void {
        var worker = Worker.init(unpacker) catch |err| return unpacker.fail(err, "");
        defer worker.deinit();
        while (!unpacker.failed.load(.monotonic)) {
            const index = unpacker.next.fetchAdd(1, .monotonic);
            if (index >= unpacker.plan.entries.len) return;
            worker.unpackEntry(index) catch |err| return unpacker.fail(err, worker.subject);
        }
    }

    /// The first failure is the one that is told.
    fn fail(unpacker: *Unpacker, err: anyerror, subject: []const u8) void {
        unpacker.mutex.lock();
        defer unpacker.mutex.unlock();
        if (unpacker.failed.load(.monotonic)) return;
        unpacker.failure.err = err;
        if (subject.len > 0) unpacker.failure.subject = subject;
        unpacker.failed.store(true, .release);
    }
};

/// One thread's share of the work, with buffers that it reuses from entry to entry.
const Worker = struct {
    unpacker: *Unpacker,
    decoder: zstd.Decoder,
    packed_bytes: []u8 = &.{},
    bytes: []u8 = &.{},
    /// What is being worked on, for the error's text.
    subject: []const u8 = "",

    const allocator = std.heap.page_allocator;

    fn init(unpacker: *Unpacker) !Worker {
        return .{ .unpacker = unpacker, .decoder = try .init() };
    }

    fn deinit(worker: *Worker) void {
        worker.decoder.deinit();
        allocator.free(worker.packed_bytes);
        allocator.free(worker.bytes);
    }

    fn unpackEntry(worker: *Worker, index: u32) !void {
        const unpacker = worker.unpacker;
        const planned = unpacker.plan.entries[index];
        const files = unpacker.plan.files[planned.files_start..planned.files_end];
        if (files.len == 0) return;
        worker.subject = planned.name;
        const entry = unpacker.packed_entries[index];
        if (entry.length > plan_text.whole_entry_length_max) return worker.stream(entry, files[0]);

        const length: usize = @intCast(entry.length);
        if (worker.bytes.len < length) {
            allocator.free(worker.bytes);
            worker.bytes = &.{};
            worker.bytes = try allocator.alloc(u8, length);
        }
        const bytes = worker.bytes[0..length];
        try entry_content.read(
            allocator,
            unpacker.executable,
            unpacker.data_end,
            entry,
            worker.decoder,
            &worker.packed_bytes,
            bytes,
        );
        for (files) |file| {
            worker.subject = file.path;
            const content = bytes[@intCast(file.offset)..][0..@intCast(file.length)];
            const created = try worker.create(file);
            defer created.close();
            switch (file.kind) {
                .file => try created.writeAll(content),
                .fill, .script => try writeRendered(created, file, content, unpacker.places),
            }
        }
    }

    fn create(worker: *Worker, file: plan_text.File) !std.fs.File {
        const mode: std.fs.File.Mode = if (has_modes) file.mode else 0;
        return worker.unpacker.directory.createFile(file.path, .{ .exclusive = true, .mode = mode });
    }

    /// An entry that is one large file is never held whole.
    fn stream(worker: *Worker, entry: zip.Entry, file: plan_text.File) !void {
        worker.subject = file.path;
        const created = try worker.create(file);
        defer created.close();
        const data_end = worker.unpacker.data_end;
        try entry_content.stream(worker.unpacker.executable, data_end, entry, worker.decoder, Sink{ .file = created });
    }

    const Sink = struct {
        file: std.fs.File,

        pub fn write(sink: Sink, bytes: []const u8) !void {
            try sink.file.writeAll(bytes);
        }
    };
};

fn writeRendered(created: std.fs.File, file: plan_text.File, content: []const u8, places: rendering.Places) !void {
    var buffer: [4096]u8 = undefined;
    var writer = created.writer(&buffer);
    const out = &writer.interface;
    rendering.render(out, file, content, places) catch return writer.err orelse error.Unexpected;
    out.flush() catch return writer.err orelse error.Unexpected;
}
