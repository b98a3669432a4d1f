//! Finds the installations that processes run from, and the processes that are starting from one.
//!
//! Only Linux reports this, only for the user's own processes (for root, all), and only in this PID namespace.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Item = @import("inventory.zig").Item;

const processes_path = "/proc";

/// Far above the length of any program's `maps`.
const maps_length_max = 16 << 20;

/// Whether the system lists processes.
pub fn canInspect() bool {
    if (builtin.os.tag != .linux) return false;
    std.fs.cwd().access(processes_path ++ "/self/fd", .{}) catch return false;
    return true;
}

/// Sets `running` of the items that a process runs from, according to its command line, environment, executable and
/// mapped files.
pub fn markRunning(items: []Item) void {
    if (builtin.os.tag != .linux) return;
    var processes = std.fs.openDirAbsolute(processes_path, .{ .iterate = true }) catch return;
    defer processes.close();
    var each = processes.iterate();
    while (each.next() catch return) |entry| {
        if (!std.ascii.isDigit(entry.name[0])) continue;
        var process = processes.openDir(entry.name, .{}) catch continue;
        defer process.close();
        markProcess(process, items);
    }
}

/// A buffer for the files of a process. The stack may be too small for it.
var buffer: [64 << 10]u8 = undefined;

fn markProcess(process: std.fs.Dir, items: []Item) void {
    if (process.readLink("exe", buffer[0..std.fs.max_path_bytes])) |target| markText(target, items) else |_| {}
    for ([_][]const u8{ "cmdline", "environ" }) |name| {
        if (process.readFile(name, &buffer)) |text| markText(text, items) else |_| {}
    }
    const allocator = std.heap.page_allocator;
    const maps = process.readFileAlloc(allocator, "maps", maps_length_max) catch return;
    defer allocator.free(maps);
    markText(maps, items);
}

fn markText(text: []const u8, items: []Item) void {
    for (items) |*item| {
        if (!item.running and std.mem.indexOf(u8, text, item.digest) != null) item.running = true;
    }
}

/// How long to wait for a process that has the base directory open; it may be unpacking something else.
const start_patience_ns = 2 * std.time.ns_per_s;
/// How long to wait for a process without a command line: it will have one soon, or has removed it.
const exec_patience_ns = 250 * std.time.ns_per_ms;
const step_ns = 500 * std.time.ns_per_us;

/// Waits until the processes that have the directory `base` open now have closed it, as a start does when it becomes
/// the program. Ignores processes that have one of `locks` open: they check installations later. Returns false if a
/// process keeps it open.
pub fn waitForStarts(base: std.fs.Dir, locks: []const std.fs.File) bool {
    if (builtin.os.tag != .linux) return true;
    var watch = Watch.init(base, locks) catch return false;
    defer watch.deinit();
    watch.begin() catch return false;
    var waited: u64 = 0;
    while (waited < start_patience_ns) : (waited += step_ns) {
        watch.update();
        if (watch.starts.items.len == 0) return true;
        if (waited >= exec_patience_ns and !watch.hasOpen()) return true;
        std.Thread.sleep(step_ns);
    }
    return false;
}

const Identity = struct {
    device: std.posix.dev_t,
    node: std.posix.ino_t,

    fn of(descriptor: std.posix.fd_t) !Identity {
        const status = try std.posix.fstat(descriptor);
        return .{ .device = status.dev, .node = status.ino };
    }
};

const locks_max = 2;

const Watch = struct {
    processes: std.fs.Dir,
    base: Identity,
    locks: [locks_max]?Identity = @splat(null),
    starts: std.ArrayList(Start) = .empty,

    const allocator = std.heap.page_allocator;

    const Start = struct { process: u32, state: State };

    const State = enum {
        /// The process has the base directory open.
        open,
        /// The process is in execve(2): it has no command line yet.
        becoming,
        /// Any other state.
        other,
    };

    fn init(base: std.fs.Dir, locks: []const std.fs.File) !Watch {
        var watch: Watch = .{
            .base = try .of(base.fd),
            .processes = try std.fs.openDirAbsolute(processes_path, .{ .iterate = true }),
        };
        errdefer watch.processes.close();
        for (locks, watch.locks[0..locks.len]) |lock, *slot| slot.* = try .of(lock.handle);
        return watch;
    }

    fn deinit(watch: *Watch) void {
        watch.starts.deinit(allocator);
        watch.processes.close();
    }

    /// Finds the processes to wait for.
    fn begin(watch: *Watch) !void {
        const own: u32 = @intCast(std.os.linux.getpid());
        var each = watch.processes.iterate();
        while (try each.next()) |entry| {
            const process = std.fmt.parseInt(u32, entry.name, 10) catch continue;
            if (process == own) continue;
            const state = watch.stateOf(process);
            if (state != .other) try watch.starts.append(allocator, .{ .process = process, .state = state });
        }
    }

    fn update(watch: *Watch) void {
        var index = watch.starts.items.len;
        while (index > 0) {
            index -= 1;
            const start = &watch.starts.items[index];
            start.state = watch.stateOf(start.process);
            if (start.state == .other) _ = watch.starts.swapRemove(index);
        }
    }

    fn hasOpen(watch: Watch) bool {
        for (watch.starts.items) |start| if (start.state == .open) return true;
        return false;
    }

    /// Checks the descriptors first: execve(2) closes them when it cannot fail any more, and sets the command line
    /// shortly after that.
    fn stateOf(watch: Watch, process: u32) State {
        var name: [16]u8 = undefined;
        const path = std.fmt.bufPrint(&name, "{d}", .{process}) catch unreachable;
        var directory = watch.processes.openDir(path, .{}) catch return .other;
        defer directory.close();
        if (watch.isOpenIn(directory) catch return .other) return .open;
        var byte: [1]u8 = undefined;
        _ = directory.readLink("exe", buffer[0..std.fs.max_path_bytes]) catch return .other; // a kernel thread
        const text = directory.readFile("cmdline", &byte) catch return .other;
        return if (text.len == 0) .becoming else .other;
    }

    fn isOpenIn(watch: Watch, process: std.fs.Dir) !bool {
        var descriptors = try process.openDir("fd", .{ .iterate = true });
        defer descriptors.close();
        var found = false;
        var each = descriptors.iterate();
        while (try each.next()) |entry| {
            const name = std.posix.toPosixPath(entry.name) catch continue;
            const status = std.posix.fstatatZ(descriptors.fd, &name, 0) catch continue;
            const identity: Identity = .{ .device = status.dev, .node = status.ino };
            for (watch.locks) |lock| if (lock != null and std.meta.eql(lock.?, identity)) return false;
            if (std.meta.eql(watch.base, identity)) found = true;
        }
        return found;
    }
};

test "a process with the directory open is found, unless it has a lock open too" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const lock = try tmp.dir.createFile("lock", .{});
    const own: u32 = @intCast(std.os.linux.getpid());
    var watch: Watch = try .init(tmp.dir, &.{lock});
    defer watch.deinit();
    try testing.expectEqual(.other, watch.stateOf(own));
    lock.close();
    try testing.expectEqual(.open, watch.stateOf(own));
    try testing.expectEqual(.other, watch.stateOf(std.math.maxInt(u32)));
    try testing.expect(waitForStarts(tmp.dir, &.{}));
}
