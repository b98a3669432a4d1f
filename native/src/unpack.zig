//! Unpacks one or several installations on all cores, as their plans say.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const control_group = @import("control_group.zig");
const entry_content = @import("entry.zig");
const file_changes = @import("file_changes.zig");
const manifest = @import("manifest.zig");
const memory_files = @import("memory_files.zig");
const patch_file = @import("patch.zig");
const plan_text = @import("plan.zig");
const rendering = @import("rendering.zig");
const Progress = @import("unpack_progress.zig").Progress;
const Sha256 = @import("sha256.zig").Sha256;
const zip = @import("zip.zig");

const plan_length_max = 256 << 20;

/// Each thread holds an entry of at most 8 MiB or a window, which is as large at zstd's level 19, and little else: 64
/// MiB of memory are enough for all threads.
const threads_max = 6;

/// The number of links that a thread creates at a time.
const links_batch = 64;

const has_modes = builtin.os.tag != .windows;

/// An error, and its subject: a path of the installation or a part of the executable.
pub const Failure = struct {
    err: anyerror,
    subject: []const u8 = "",
};

/// A part to unpack: `file` of the executable, into the empty `directory`, which will be at `places.root`.
pub const Part = struct {
    file: manifest.File,
    directory: std.fs.Dir,
    places: rendering.Places,
    /// The text of the plan, if it is not in the zip.
    given: ?[]const u8 = null,
    /// The part of the plan to unpack, if not all of it.
    only: ?plan_text.Plan = null,
    /// Whether executables go into memory, with links in their places.
    executables_in_memory: bool = false,
    failure: ?Failure = null,

    /// Holds the plan. It is never freed, because the process is replaced soon.
    arena: std.heap.ArenaAllocator = .init(std.heap.page_allocator),
    plan: plan_text.Plan = .{ .entries = &.{}, .directories = &.{}, .files = &.{}, .links = &.{} },
    /// For each entry of the plan, its zip entry.
    packed_entries: []const zip.Entry = &.{},

    stage: enum { fresh, begun, planned, patching, patched } = .fresh,
    next_entry: u32 = 0,
    /// The number of entries that are not unpacked yet.
    entries_left: usize = 0,
    next_link: usize = 0,

    /// Reads the plan and creates its directories, parents first.
    fn begin(part: *Part, reader: *entry_content.Reader, subject: *[]const u8) !void {
        const arena = part.arena.allocator();
        const entries = try zip.readDirectory(arena, reader.file, part.file.range());
        part.plan = if (part.only) |plan|
            plan
        else if (part.given) |text|
            try plan_text.parse(arena, text)
        else
            try readPlan(arena, reader, part.file, entries);
        const packed_entries = try arena.alloc(zip.Entry, part.plan.entries.len);
        for (part.plan.entries, packed_entries) |wanted, *slot| {
            slot.* = entries.get(wanted.name) orelse return error.CorruptZip;
            if (slot.length != wanted.length or slot.crc32 != wanted.crc32) return error.CorruptZip;
        }
        part.packed_entries = packed_entries;
        part.entries_left = packed_entries.len;
        for (part.plan.directories) |path| {
            subject.* = path;
            try part.directory.makeDir(path);
        }
    }
};

/// Reads the plan. Its SHA-256 is the name of the installation, so the plan is the one that was built.
pub fn readPlan(
    arena: Allocator,
    reader: *entry_content.Reader,
    file: manifest.File,
    entries: std.StringHashMapUnmanaged(zip.Entry),
) !plan_text.Plan {
    const entry = entries.get(file.plan) orelse return error.CorruptZip;
    if (entry.length > plan_length_max) return error.CorruptZip;
    const text = try arena.dupe(u8, try reader.read(entry, file.range().end));
    var hash: Sha256 = .{};
    hash.update(text);
    if (!std.mem.eql(u8, &hash.finalHex(), file.digest)) return error.CorruptPlan;
    return plan_text.parse(arena, text);
}

pub const Options = struct {
    /// At most this many threads.
    threads: usize = threads_max,
    /// Whether a terminal shows how far it is.
    shows_progress: bool = false,
};

/// Unpacks all of `parts` in parallel. On `error.Failed`, one of them has a failure.
pub fn unpack(executable: std.fs.File, parts: []Part, options: Options) error{Failed}!void {
    if (parts.len == 0) return;
    var pool: Pool = .{
        .executable = executable,
        .parts = parts,
        .threads = @min(options.threads, threads_max),
        .memory_limit = control_group.memoryLimit(),
        .shown = if (options.shows_progress) Progress.start() else null,
    };
    pool.run();
    if (pool.shown) |*shown| shown.end();
    if (pool.failed) return error.Failed;
}

/// A unit of work for one thread.
const Task = struct {
    part: *Part,
    work: union(enum) {
        begin,
        entry: u32,
        patches,
        links: []const plan_text.Link,
    },
};

/// The threads, and their tasks.
const Pool = struct {
    executable: std.fs.File,
    parts: []Part,
    threads: usize,
    memory_limit: ?u64,
    mutex: std.Thread.Mutex = .{},
    /// A task is done, so others may be ready.
    progress: std.Thread.Condition = .{},
    /// The number of running tasks.
    running: usize = 0,
    failed: bool = false,
    shown: ?Progress = null,

    /// Runs a thread on each core; runs on this thread alone if no other can be started.
    fn run(pool: *Pool) void {
        var threads: [threads_max]std.Thread = undefined;
        var started: usize = 0;
        const wanted = control_group.threads(pool.memory_limit, @min(std.Thread.getCpuCount() catch 1, pool.threads));
        while (started + 1 < wanted) : (started += 1) {
            threads[started] = std.Thread.spawn(.{ .stack_size = 1 << 20 }, work, .{pool}) catch break;
        }
        pool.work();
        for (threads[0..started]) |thread| thread.join();
    }

    fn work(pool: *Pool) void {
        var worker: Worker = .{ .executable = pool.executable, .memory_limit = pool.memory_limit };
        defer worker.deinit();
        while (pool.waitForTask()) |task| {
            const failure: ?Failure = if (worker.perform(task)) null else |err| .{ .err = err, .subject = worker.subject };
            pool.finish(task, failure);
        }
    }

    /// Waits for the next task; null if there are no more.
    fn waitForTask(pool: *Pool) ?Task {
        pool.mutex.lock();
        defer pool.mutex.unlock();
        while (!pool.failed) {
            if (pool.chooseTask()) |task| {
                pool.running += 1;
                return task;
            }
            if (pool.running == 0) break;
            pool.progress.wait(&pool.mutex);
        }
        return null;
    }

    fn chooseTask(pool: *Pool) ?Task {
        for (pool.parts) |*part| if (part.stage == .fresh) {
            part.stage = .begun;
            return .{ .part = part, .work = .begin };
        };
        if (pool.largestEntry()) |part| {
            part.next_entry += 1;
            return .{ .part = part, .work = .{ .entry = part.next_entry - 1 } };
        }
        for (pool.parts) |*part| if (part.stage == .planned and part.entries_left == 0) {
            part.stage = .patching;
            return .{ .part = part, .work = .patches };
        };
        for (pool.parts) |*part| {
            // Links come last, so nothing is written through a link.
            if (part.stage != .patched) continue;
            const left = part.plan.links[part.next_link..];
            if (left.len == 0) continue;
            const batch = left[0..@min(left.len, links_batch)];
            part.next_link += batch.len;
            return .{ .part = part, .work = .{ .links = batch } };
        }
        return null;
    }

    /// The part with the largest next entry, so that no core ends up alone with a large one.
    fn largestEntry(pool: *Pool) ?*Part {
        var found: ?*Part = null;
        var length: u64 = 0;
        for (pool.parts) |*part| {
            if (part.stage != .planned or part.next_entry == part.plan.entries.len) continue;
            const entry = part.plan.entries[part.next_entry];
            if (found != null and entry.length <= length) continue;
            found = part;
            length = entry.length;
        }
        return found;
    }

    /// Only the first failure is reported.
    fn finish(pool: *Pool, task: Task, failure: ?Failure) void {
        pool.mutex.lock();
        defer pool.mutex.unlock();
        pool.running -= 1;
        if (failure == null) switch (task.work) {
            .begin => {
                task.part.stage = .planned;
                if (pool.shown) |*shown| for (task.part.plan.entries) |entry| shown.expect(entry.length);
            },
            .entry => |index| {
                task.part.entries_left -= 1;
                if (pool.shown) |*shown| shown.advance(task.part.plan.entries[index].length);
            },
            .patches => task.part.stage = .patched,
            .links => {},
        } else if (!pool.failed) {
            pool.failed = true;
            task.part.failure = failure;
        }
        pool.progress.broadcast();
    }
};

/// The state of one thread, with memory that it reuses.
const Worker = struct {
    executable: std.fs.File,
    memory_limit: ?u64,
    /// Created when it is needed.
    reader: ?entry_content.Reader = null,
    /// The subject of the current task, for errors.
    subject: []const u8 = "",

    fn deinit(worker: *Worker) void {
        if (worker.reader) |*reader| reader.deinit();
    }

    fn perform(worker: *Worker, task: Task) !void {
        const part = task.part;
        worker.subject = "";
        switch (task.work) {
            .begin => try part.begin(try worker.readerForTask(), &worker.subject),
            .entry => |index| try worker.unpackEntry(part, index),
            .patches => for (part.plan.patches) |patch| {
                worker.subject = patch.path;
                try patch_file.write(part.directory, patch, part.places);
            },
            .links => |links| for (links) |link| {
                worker.subject = link.path;
                try part.directory.symLink(link.target, link.path, .{});
            },
        }
    }

    fn readerForTask(worker: *Worker) !*entry_content.Reader {
        if (worker.reader == null) {
            worker.reader = try .init(worker.executable);
            worker.reader.?.memory_limit = worker.memory_limit;
        }
        return &worker.reader.?;
    }

    fn unpackEntry(worker: *Worker, part: *const Part, index: u32) !void {
        const planned = part.plan.entries[index];
        const files = part.plan.files[planned.files_start..planned.files_end];
        if (files.len == 0) return;
        worker.subject = planned.name;
        const reader = try worker.readerForTask();
        const entry = part.packed_entries[index];
        const data_end = part.file.range().end;
        if (planned.isSingleFile(files)) {
            worker.subject = files[0].path;
            const created = try create(part, files[0]);
            defer created.close();
            preallocate(created, files[0].length);
            return reader.stream(entry, data_end, Sink{ .file = created });
        }
        const content = try reader.read(entry, data_end);
        for (files) |file| {
            worker.subject = file.path;
            const created = try create(part, file);
            defer created.close();
            const slice = content[@intCast(file.offset)..][0..@intCast(file.length)];
            switch (file.kind) {
                .file => try created.writeAll(slice),
                .fill, .script => try writeRendered(created, file, slice, part.places),
            }
        }
    }

    fn create(part: *const Part, file: plan_text.File) !std.fs.File {
        if (builtin.os.tag == .linux and part.executables_in_memory) {
            if (memory_files.belongsInMemory(file.path, file.mode, file.length)) return memory_files.create(part.directory, file.path);
        }
        const mode: std.fs.File.Mode = if (has_modes) file.mode else 0;
        return file_changes.create(part.directory, file.path, mode);
    }

    /// Asks the file system to allocate the space of a large file at once. The size stays that of the written bytes,
    /// so a file that a power cut left short has a short size (fallocate(2), FALLOC_FL_KEEP_SIZE). Failures are
    /// ignored: a full file system reports an error on writing.
    fn preallocate(created: std.fs.File, length: u64) void {
        if (builtin.os.tag != .linux) return;
        const keep_size = 1;
        _ = std.os.linux.fallocate(created.handle, keep_size, 0, @intCast(length));
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

test "preallocation does not change the size of a file" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const file = try tmp.dir.createFile("large", .{});
    defer file.close();
    Worker.preallocate(file, 4 << 20);
    try testing.expectEqual(0, try file.getEndPos());
    try file.writeAll("abc");
    try testing.expectEqual(3, try file.getEndPos());
}
