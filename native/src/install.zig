//! An installation: what a plan describes, unpacked by all cores beside its final place and renamed there.
//!
//! A kill at any instant leaves nothing or everything under the final name. Only the holder of the lock
//! writes; the kernel drops the lock of a process that dies, and the next holder sweeps what it left.

const std = @import("std");
const builtin = @import("builtin");
const Allocator = std.mem.Allocator;
const Base = @import("base.zig").Base;
const base_directory = @import("base.zig");
const clock = @import("clock.zig");
const entry_content = @import("entry.zig");
const manifest = @import("manifest.zig");
const plan_text = @import("plan.zig");
const rendering = @import("rendering.zig");
const report = @import("report.zig");
const Sha256 = @import("sha256.zig").Sha256;
const zip = @import("zip.zig");
const zstd = @import("zstd.zig");

/// The zip entry that holds the plan.
pub const plan_entry = ".czscie/plan";
const plan_length_max = 256 << 20;
pub const partial_suffix = ".partial";

/// Each thread holds one entry or one window of zstd: 64 MiB of memory are enough for all of them.
const threads_max = 8;

/// What went wrong, and with what: a path of the installation or a part of the executable.
pub const Failure = struct {
    err: anyerror,
    subject: []const u8,
};

/// Installs `file` of the executable below `base` unless it is there. On error `failure` has the particulars.
/// `application` is what messages call the executable.
pub fn install(
    arena: Allocator,
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *Failure,
) error{Failed}!void {
    failure.* = .{ .err = error.Unexpected, .subject = file.name };
    installUnlessThere(arena, application, executable, file, base, failure) catch |err| {
        if (err != error.Failed) failure.err = err;
        return error.Failed;
    };
}

fn installUnlessThere(
    arena: Allocator,
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *Failure,
) !void {
    const lock = try Lock.acquire(base.directory, file, application);
    defer lock.release();
    if (base_directory.isInstalled(base.directory, file)) return;
    sweep(base.directory, file);
    try makeInstallation(arena, executable, file, base, failure);
    lock.sign(application);
}

/// Under the lock: unpacks beside the final place and renames.
fn makeInstallation(
    arena: Allocator,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *Failure,
) !void {
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

/// A check of an installation that was made before the system was started: a power cut may have come between
/// its rename and its data. If a file is shorter than planned all of it is installed again; if not, it counts as
/// checked until the next start of the system. Where nothing can be written nothing can be mended either.
pub fn recheck(
    arena: Allocator,
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *Failure,
) error{Failed}!void {
    failure.* = .{ .err = error.Unexpected, .subject = file.name };
    recheckUnderLock(arena, application, executable, file, base, failure) catch |err| {
        if (err != error.Failed) failure.err = err;
        return error.Failed;
    };
}

fn recheckUnderLock(
    arena: Allocator,
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *Failure,
) !void {
    base.directory.access(".", .{ .mode = .write_only }) catch return;
    const lock = try Lock.acquire(base.directory, file, application);
    defer lock.release();
    const used = base_directory.lastUse(base.directory, file) orelse
        return makeInstallation(arena, executable, file, base, failure);
    if (!clock.isBeforeSystemStart(used)) return; // another process was faster
    const entries = try zip.readDirectory(arena, executable, file.range());
    const plan = try readPlan(arena, executable, file, entries);
    var name: base_directory.Name = undefined;
    const final = base_directory.installationName(&name, file, "");
    if (try isWhole(base.directory, final, plan)) {
        _ = base_directory.touch(base.directory, file);
        return;
    }
    var partial_name: base_directory.Name = undefined;
    const partial = base_directory.installationName(&partial_name, file, partial_suffix);
    try base.directory.deleteTree(partial);
    try base.directory.rename(final, partial);
    try makeInstallation(arena, executable, file, base, failure);
}

/// Whether every file of the plan is there and no shorter than it must be.
fn isWhole(base: std.fs.Dir, installation: []const u8, plan: plan_text.Plan) !bool {
    var directory = try base.openDir(installation, .{});
    defer directory.close();
    for (plan.files) |file| {
        const status = directory.statFile(file.path) catch |err| switch (err) {
            error.FileNotFound => return false,
            else => return err,
        };
        if (status.size < file.length) return false;
    }
    return true;
}

/// The right to write below an installation's name, held by one process at a time until it dies.
const Lock = struct {
    file: std.fs.File,

    const patience_ns = 500 * std.time.ns_per_ms;

    fn open(base: std.fs.Dir, digest: []const u8) !std.fs.File {
        var name: base_directory.Name = undefined;
        const path = std.fmt.bufPrint(&name, "{s}/{s}", .{ base_directory.locks_directory, digest }) catch
            unreachable; // our own directory and 64 digits
        return base.createFile(path, .{ .truncate = false, .mode = if (has_modes) 0o600 else 0 });
    }

    /// Waits for whoever has it. A wait that a person would notice is told on a terminal.
    fn acquire(base: std.fs.Dir, file: manifest.File, application: []const u8) !Lock {
        const lock: Lock = .{ .file = try open(base, file.digest) };
        errdefer lock.file.close();
        if (builtin.os.tag == .windows) { // where std 0.15.2 has no tryLock that compiles
            try lock.file.lock(.exclusive);
            return lock;
        }
        if (try lock.file.tryLock(.exclusive)) return lock;
        var waited: u64 = 0;
        const step = 10 * std.time.ns_per_ms;
        while (waited < patience_ns) : (waited += step) {
            std.Thread.sleep(step);
            if (try lock.file.tryLock(.exclusive)) return lock;
        }
        if (std.fs.File.stderr().isTty()) report.note(application, "waiting for another process that unpacks {s}", .{file.name});
        try lock.file.lock(.exclusive);
        return lock;
    }

    /// Says for people who made the installation.
    fn sign(lock: Lock, application: []const u8) void {
        lock.file.setEndPos(0) catch return;
        lock.file.pwriteAll(application, 0) catch return;
    }

    fn release(lock: Lock) void {
        lock.file.close();
    }
};

/// The application that made the installation `digest`; null when that is not known.
pub fn installer(arena: Allocator, base: std.fs.Dir, digest: []const u8) error{OutOfMemory}!?[]const u8 {
    var name: base_directory.Name = undefined;
    const path = std.fmt.bufPrint(&name, "{s}/{s}", .{ base_directory.locks_directory, digest }) catch return null;
    var buffer: [256]u8 = undefined;
    const application = base.readFile(path, &buffer) catch return null;
    return if (application.len == 0) null else try arena.dupe(u8, application);
}

/// Removes the installation of `file`, whole or not. False when another process makes it just now.
pub fn remove(base: std.fs.Dir, file: manifest.File) !bool {
    const lock = try Lock.open(base, file.digest);
    defer lock.close();
    if (builtin.os.tag == .windows) try lock.lock(.exclusive) else if (!try lock.tryLock(.exclusive)) return false;
    var partial_name: base_directory.Name = undefined;
    const partial = base_directory.installationName(&partial_name, file, partial_suffix);
    try base.deleteTree(partial);
    var name: base_directory.Name = undefined;
    // Half an installation must not have the name of a whole one.
    base.rename(base_directory.installationName(&name, file, ""), partial) catch |err| switch (err) {
        error.FileNotFound => return true,
        else => return err,
    };
    try base.deleteTree(partial);
    return true;
}

/// Removes what processes that died left of other installations of this kind. Whatever cannot be removed stays:
/// it is in nobody's way.
fn sweep(base: std.fs.Dir, file: manifest.File) void {
    if (builtin.os.tag == .windows) return;
    var directory = base.openDir(file.kind.directory(), .{ .iterate = true }) catch return;
    defer directory.close();
    var each = directory.iterate();
    while (each.next() catch return) |entry| {
        if (!std.mem.endsWith(u8, entry.name, partial_suffix)) continue;
        const digest = entry.name[0 .. entry.name.len - partial_suffix.len];
        if (digest.len != file.digest.len or std.mem.eql(u8, digest, file.digest)) continue;
        const lock = Lock.open(base, digest) catch continue;
        defer lock.close();
        if (lock.tryLock(.exclusive) catch continue) directory.deleteTree(entry.name) catch continue;
    }
}

const has_modes = builtin.os.tag != .windows;

fn unpack(
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
