//! An installation: what a plan describes, unpacked by all cores beside its final place and renamed there.
//!
//! A kill at any instant leaves nothing or everything under the final name. Only the holder of the lock
//! writes; the kernel drops the lock of a process that dies, and the next holder sweeps what it left.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const Base = @import("base.zig").Base;
const base_directory = @import("base.zig");
const manifest = @import("manifest.zig");
const plan_text = @import("plan.zig");
const zip = @import("zip.zig");
const zstd = @import("zstd.zig");
const crc32 = @import("crc32.zig").crc32;

/// The zip entry that holds the plan.
pub const plan_entry = ".czscie/plan";
const plan_length_max = 256 << 20;
const partial_suffix = ".partial";

const threads_max = 16;
const chunk_length = 256 << 10;

/// What went wrong, and with what: a path of the installation or a part of the executable.
pub const Failure = struct {
    err: anyerror,
    subject: []const u8,
};

/// Installs `file` of the executable below `base` unless it is there. On error `failure` has the particulars.
pub fn install(
    arena: Allocator,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *Failure,
) error{Failed}!void {
    failure.* = .{ .err = error.Unexpected, .subject = file.name };
    installUnlessThere(arena, executable, file, base, failure) catch |err| {
        if (err != error.Failed) failure.err = err;
        return error.Failed;
    };
}

fn installUnlessThere(
    arena: Allocator,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *Failure,
) !void {
    var lock_name: base_directory.Name = undefined;
    const lock = try base.directory.createFile(
        std.fmt.bufPrint(&lock_name, "{s}/{s}", .{ base_directory.locks_directory, file.digest }) catch unreachable,
        .{ .truncate = false, .lock = .exclusive, .mode = if (has_modes) 0o600 else 0 },
    );
    defer lock.close();
    if (base_directory.isInstalled(base.directory, file)) return;

    var partial_buffer: base_directory.Name = undefined;
    const partial = base_directory.installationName(&partial_buffer, file, partial_suffix);
    try base.directory.deleteTree(partial);
    try base.directory.makeDir(partial);
    errdefer base.directory.deleteTree(partial) catch {};

    var final_buffer: base_directory.Name = undefined;
    const final = base_directory.installationName(&final_buffer, file, "");
    {
        var directory = try base.directory.openDir(partial, .{});
        defer directory.close();
        const root = try std.fs.path.join(arena, &.{ base.path, final });
        try unpack(arena, executable, file, directory, .{ .base = base.path, .root = root }, failure);
    }
    try base.directory.rename(partial, final);
}

const has_modes = builtin.os.tag != .windows;

/// What the placeholders of templates stand for.
const Places = struct { base: []const u8, root: []const u8 };

fn unpack(
    arena: Allocator,
    executable: std.fs.File,
    file: manifest.File,
    directory: std.fs.Dir,
    places: Places,
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
fn readPlan(
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
    try readEntry(arena, executable, file.range().end, entry, decoder, &packed_bytes, text);
    var digest: [32]u8 = undefined;
    std.crypto.hash.sha2.Sha256.hash(text, &digest, .{});
    if (!std.mem.eql(u8, &std.fmt.bytesToHex(digest, .lower), file.digest)) return error.CorruptPlan;
    return plan_text.parse(arena, text);
}

/// Decodes a whole entry into `to`, which has its length, and checks it. `packed_bytes` is reused and grows.
fn readEntry(
    allocator: Allocator,
    executable: std.fs.File,
    data_end: u64,
    entry: zip.Entry,
    decoder: zstd.Decoder,
    packed_bytes: *[]u8,
    to: []u8,
) !void {
    const offset = try zip.dataOffset(executable, entry, data_end);
    switch (entry.method) {
        .stored => if (try executable.preadAll(to, offset) != to.len) return error.CorruptZip,
        .zstd => {
            const length: usize = std.math.cast(usize, entry.compressed_length) orelse return error.CorruptZip;
            // A zstd block that does not compress is stored, so a frame is hardly longer than its content.
            if (length > to.len + to.len / 64 + 1024) return error.CorruptZip;
            if (packed_bytes.len < length) {
                allocator.free(packed_bytes.*);
                packed_bytes.* = &.{};
                packed_bytes.* = try allocator.alloc(u8, length);
            }
            const frame = packed_bytes.*[0..length];
            if (try executable.preadAll(frame, offset) != length) return error.CorruptZip;
            try decoder.decode(to, frame);
        },
    }
    if (crc32(0, to) != entry.crc32) return error.CorruptEntry;
}

const Unpacker = struct {
    executable: std.fs.File,
    data_end: u64,
    plan: plan_text.Plan,
    packed_entries: []const zip.Entry,
    directory: std.fs.Dir,
    places: Places,
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
        try readEntry(
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
                .fill => try fill(created, content, unpacker.places),
                .script => {
                    try writeShebang(created, unpacker.places.root, file.interpreter);
                    try created.writeAll(content);
                },
            }
        }
    }

    fn create(worker: *Worker, file: plan_text.File) !std.fs.File {
        const mode: std.fs.File.Mode = if (has_modes) file.mode else 0;
        return worker.unpacker.directory.createFile(file.path, .{ .exclusive = true, .mode = mode });
    }

    /// An entry that is one large file goes through buffers of a fixed size.
    fn stream(worker: *Worker, entry: zip.Entry, file: plan_text.File) !void {
        const unpacker = worker.unpacker;
        const from = try allocator.alloc(u8, chunk_length);
        defer allocator.free(from);
        const to = try allocator.alloc(u8, chunk_length);
        defer allocator.free(to);
        worker.subject = file.path;
        const created = try worker.create(file);
        defer created.close();
        worker.decoder.begin();

        var sink: Sink = .{ .file = created, .left = entry.length };
        var source: Source = .{
            .file = unpacker.executable,
            .offset = try zip.dataOffset(unpacker.executable, entry, unpacker.data_end),
            .left = entry.compressed_length,
        };
        while (source.left > 0) {
            const chunk = try source.read(from);
            switch (entry.method) {
                .stored => try sink.write(chunk),
                .zstd => try worker.decodeChunk(chunk, to, &sink, source.left == 0),
            }
        }
        if (sink.left != 0 or sink.sum != entry.crc32) return error.CorruptEntry;
    }

    /// Decodes `chunk`, a piece of a frame; the `last` one must bring the frame to its end, no other may.
    fn decodeChunk(worker: *Worker, chunk: []const u8, to: []u8, sink: *Sink, last: bool) !void {
        var rest = chunk;
        while (true) {
            const step = try worker.decoder.step(to, rest);
            try sink.write(to[0..step.produced]);
            rest = rest[step.consumed..];
            if (step.finished) return if (last and rest.len == 0) {} else error.CorruptEntry;
            // A full buffer may mean that more is waiting to come out.
            if (rest.len == 0 and step.produced < to.len) return if (last) error.CorruptEntry else {};
            if (step.consumed == 0 and step.produced == 0) return error.CorruptEntry;
        }
    }
};

/// The packed bytes of an entry, read in order.
const Source = struct {
    file: std.fs.File,
    offset: u64,
    left: u64,

    fn read(source: *Source, buffer: []u8) ![]const u8 {
        const chunk = buffer[0..@intCast(@min(source.left, buffer.len))];
        if (try source.file.preadAll(chunk, source.offset) != chunk.len) return error.CorruptZip;
        source.offset += chunk.len;
        source.left -= chunk.len;
        return chunk;
    }
};

/// The unpacked bytes of an entry, checked as they are written.
const Sink = struct {
    file: std.fs.File,
    left: u64,
    sum: u32 = 0,

    fn write(sink: *Sink, bytes: []const u8) !void {
        if (bytes.len > sink.left) return error.CorruptEntry;
        try sink.file.writeAll(bytes);
        sink.sum = crc32(sink.sum, bytes);
        sink.left -= bytes.len;
    }
};

/// Writes a template with `{base}` and `{root}` replaced.
fn fill(file: std.fs.File, template: []const u8, places: Places) !void {
    var rest = template;
    while (rest.len > 0) {
        const open = std.mem.indexOfScalar(u8, rest, '{') orelse rest.len;
        try file.writeAll(rest[0..open]);
        rest = rest[open..];
        if (std.mem.startsWith(u8, rest, "{base}")) {
            try file.writeAll(places.base);
            rest = rest["{base}".len..];
        } else if (std.mem.startsWith(u8, rest, "{root}")) {
            try file.writeAll(places.root);
            rest = rest["{root}".len..];
        } else if (rest.len > 0) {
            try file.writeAll(rest[0..1]);
            rest = rest[1..];
        }
    }
}

/// What every system's kernel takes as the first line of a script: Linux before 5.1 cuts it after 127 bytes.
const shebang_length_max = 127;

/// Writes the first line of a script, `interpreter` being a path below `root` and its arguments. A path that no
/// kernel takes (too long, or with a space) goes through /bin/sh, in two lines that Python reads as a string.
fn writeShebang(file: std.fs.File, root: []const u8, interpreter: []const u8) !void {
    const space = std.mem.indexOfScalar(u8, interpreter, ' ') orelse interpreter.len;
    const program = interpreter[0..space];
    const arguments = interpreter[space..];
    var buffer: [std.fs.max_path_bytes]u8 = undefined;
    var writer = file.writer(&buffer);
    const out = &writer.interface;
    const length = "#!".len + root.len + 1 + interpreter.len;
    if (length <= shebang_length_max and std.mem.indexOfAny(u8, root, " \t\n") == null) {
        try out.print("#!{s}/{s}{s}\n", .{ root, program, arguments });
    } else {
        try out.writeAll("#!/bin/sh\n'''exec' \"");
        for (root) |character| {
            if (std.mem.indexOfScalar(u8, "\"$`\\", character) != null) try out.writeByte('\\');
            try out.writeByte(character);
        }
        try out.print("/{s}\"{s} \"$0\" \"$@\"\n' '''\n", .{ program, arguments });
    }
    try out.flush();
}

fn written(dir: std.fs.Dir, buffer: []u8, comptime write: anytype, arguments: anytype) ![]const u8 {
    const file = try dir.createFile("out", .{ .read = true, .truncate = true });
    defer file.close();
    try @call(.auto, write, .{file} ++ arguments);
    return buffer[0..try file.preadAll(buffer, 0)];
}

test "templates name the base directory and the installation" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    var buffer: [256]u8 = undefined;
    const places: Places = .{ .base = "/b", .root = "/b/apps/x" };
    try testing.expectEqualStrings(
        "home = /b/i\n{other}{/b/apps/x{",
        try written(tmp.dir, &buffer, fill, .{ "home = {base}/i\n{other}{{root}{", places }),
    );
}

test "a script starts through the kernel where it can and through a shell where it cannot" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    var buffer: [512]u8 = undefined;
    try testing.expectEqualStrings(
        "#!/b/bin/python -sE\n",
        try written(tmp.dir, &buffer, writeShebang, .{ "/b", "bin/python -sE" }),
    );
    try testing.expectEqualStrings(
        "#!/bin/sh\n'''exec' \"/a b\\$c/bin/python\" -s \"$0\" \"$@\"\n' '''\n",
        try written(tmp.dir, &buffer, writeShebang, .{ "/a b$c", "bin/python -s" }),
    );
    const long = try written(tmp.dir, &buffer, writeShebang, .{ "/" ++ "l" ** 130, "bin/python" });
    try testing.expect(std.mem.startsWith(u8, long, "#!/bin/sh\n"));
}
