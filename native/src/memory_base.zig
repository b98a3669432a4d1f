//! A base directory in memory, for a start that finds no other. It disappears with the application.
//!
//! The best one is a private file system. If the system does not allow that, as in container engines, executables go
//! into files in memory, and everything else into a directory that is writable but mounted noexec: every container has
//! one, /dev/shm. In both cases, each start unpacks again.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const linux = std.os.linux;
const base_directory = @import("base.zig");
const control_group = @import("control_group.zig");
const file_status = @import("file_status.zig");
const Base = base_directory.Base;
const Candidate = base_directory.Candidate;
const Environment = @import("environment.zig").Environment;
const locking = @import("lock.zig");
const manifest = @import("manifest.zig");
const memory_files = @import("memory_files.zig");
const private_mount = @import("private_mount.zig");

pub const variable = "CZSCIE_MEMORY";

/// When a start uses memory.
pub const Setting = enum {
    /// If no directory is usable, with a note, because nobody chose it.
    unset,
    fallback,
    always,
    never,

    /// Null for an unknown word.
    pub fn read(environment: Environment) ?Setting {
        const word = environment.get(variable) orelse return .unset;
        if (word.len == 0) return .unset;
        const setting = std.meta.stringToEnum(Setting, word) orelse return null;
        return if (setting == .unset) null else setting;
    }
};

/// The directory below a base directory with a subdirectory for each process that runs from memory, and the lock that
/// it holds.
const directory_name = "memory";
const lock_suffix = ".lock";

/// The memory that is left to the application besides the unpacked files, in bytes.
const python_memory = 16 << 20;

const tmpfs_name = "memory (private tmpfs)";
const memory_files_name = "memory (memfd_create)";

/// Creates a base directory in memory for `files`. Returns null, and appends the reasons to `refusals`, if it cannot.
pub fn make(
    arena: Allocator,
    places: []const Candidate,
    files: []const manifest.File,
    refusals: *std.ArrayList(base_directory.Refusal),
) error{OutOfMemory}!?Base {
    if (builtin.os.tag != .linux) return null;
    var reason: []const u8 = "";
    if (try mountBase(arena, places, files, &reason)) |base| return base;
    try refusals.append(arena, .{ .candidate = .{ .path = tmpfs_name }, .reason = reason });
    if (try useMemoryFiles(arena, places, files, &reason)) |base| return base;
    try refusals.append(arena, .{ .candidate = .{ .path = memory_files_name }, .reason = reason });
    return null;
}

pub const Method = struct { name: []const u8, reason: ?[]const u8 };

/// Predicts the result of `make`, and creates nothing but processes.
pub fn assess(
    arena: Allocator,
    places: []const Candidate,
    files: []const manifest.File,
) error{OutOfMemory}![]const Method {
    if (builtin.os.tag != .linux) return &.{};
    return arena.dupe(Method, &.{
        .{
            .name = tmpfs_name,
            .reason = try memoryLimitProblem(arena, files) orelse
                if (private_mount.probe("/")) |failure| try failure.describe(arena) else null,
        },
        .{ .name = memory_files_name, .reason = try memoryFilesProblem(arena, files) orelse try directoryProblem(arena, places) },
    });
}

/// Exports `base` to the application and its children, so they find it and do not unpack again.
pub fn exportBase(base: Base, environment: *Environment) !void {
    if (base.memory != .all) return;
    try environment.put("CZSCIE_BASE", base.path);
    environment.remove(variable);
}

fn mountBase(
    arena: Allocator,
    places: []const Candidate,
    files: []const manifest.File,
    reason: *[]const u8,
) error{OutOfMemory}!?Base {
    if (try memoryLimitProblem(arena, files)) |found| {
        reason.* = found;
        return null;
    }
    const point = try mountPoint(arena, places) orelse {
        reason.* = "found no empty directory to mount it on";
        return null;
    };
    if (private_mount.probe(point)) |failure| {
        reason.* = try failure.describe(arena);
        return null;
    }
    if (private_mount.mountPrivate(point)) |failure| {
        reason.* = try failure.describe(arena);
        return null;
    }
    const directory = try base_directory.prepare(arena, point, files, .cache, reason) orelse return null;
    return .{ .directory = directory, .path = point, .memory = .all };
}

/// Returns an empty candidate, which the application's children find again, or another empty directory.
fn mountPoint(arena: Allocator, places: []const Candidate) error{OutOfMemory}!?[:0]const u8 {
    for (places) |place| {
        if (place.scope == .host_read_only) continue;
        var refused: []const u8 = "";
        _ = try base_directory.make(arena, place.path, &.{}, .cache, &refused) orelse continue;
        if (private_mount.isEmpty(place.path)) return try arena.dupeZ(u8, place.path);
    }
    return private_mount.unusedDirectory();
}

/// Why the memory limit is too small for `files`, or null: the kernel kills a process that exceeds it.
fn memoryLimitProblem(arena: Allocator, files: []const manifest.File) error{OutOfMemory}!?[]const u8 {
    const allowance = control_group.memoryLimit() orelse return null;
    var needed: u64 = python_memory;
    for (files) |file| needed +|= file.unpacked;
    if (needed <= allowance) return null;
    return try std.fmt.allocPrint(arena, "it needs {d} MB, and the memory limit is {d} MB", .{
        needed / 1_000_000 + 1, allowance / 1_000_000,
    });
}

fn useMemoryFiles(
    arena: Allocator,
    places: []const Candidate,
    files: []const manifest.File,
    reason: *[]const u8,
) error{OutOfMemory}!?Base {
    if (try memoryFilesProblem(arena, files)) |found| {
        reason.* = found;
        return null;
    }
    reason.* = no_writable_directory;
    for (places) |place| {
        var refused: []const u8 = "";
        if (place.scope == .host_read_only) continue;
        const above = try base_directory.make(arena, place.path, files, .cache, &refused) orelse continue;
        var candidate = base_directory.openNoFollow(place.path) catch continue;
        defer candidate.close();
        if (try base_directory.installProblem(arena, candidate, &above, &.{}, .data) != null) continue;
        const name = makeProcessDirectory(candidate) catch continue;
        const path = try std.fs.path.join(arena, &.{ place.path, directory_name, &name });
        const directory = try base_directory.prepare(arena, path, files, .data, &refused) orelse continue;
        return .{ .directory = directory, .path = path, .memory = .executables };
    }
    return null;
}

const no_writable_directory = "found no writable directory";

fn memoryFilesProblem(arena: Allocator, files: []const manifest.File) error{OutOfMemory}!?[]const u8 {
    return memory_files.problem() orelse try memoryLimitProblem(arena, files);
}

fn directoryProblem(arena: Allocator, places: []const Candidate) error{OutOfMemory}!?[]const u8 {
    for (places) |place| {
        if (place.scope == .host_read_only) continue;
        if (try base_directory.assessForInstalling(arena, place, &.{}, .data) != .refused) return null;
    }
    return no_writable_directory;
}

const ProcessName = [16]u8;

/// Creates a directory below `memory` for this process. It belongs to the process until this one, and all that inherit
/// its lock, have ended.
fn makeProcessDirectory(candidate: std.fs.Dir) !ProcessName {
    candidate.makeDir(directory_name) catch |err| if (err != error.PathAlreadyExists) return err;
    var directory = try candidate.openDir(directory_name, .{ .iterate = true, .no_follow = true });
    defer directory.close();
    removeStale(directory);
    var number: u64 = 0;
    if (linux.getrandom(std.mem.asBytes(&number).ptr, 8, 0) != 8) return error.Unexpected;
    var name: ProcessName = undefined;
    _ = std.fmt.bufPrint(&name, "{x:0>16}", .{number}) catch unreachable;
    const lock = try directory.createFile(&(name ++ lock_suffix.*), .{ .exclusive = true, .mode = 0o600 });
    defer lock.close();
    _ = try locking.exclusive(lock);
    _ = try memory_files.duplicateForApplication(lock.handle);
    return name;
}

/// Removes the directories of processes that have ended.
fn removeStale(directory: std.fs.Dir) void {
    var entries = directory.iterate();
    while (entries.next() catch return) |entry| {
        if (!std.mem.endsWith(u8, entry.name, lock_suffix)) continue;
        const lock = directory.openFile(entry.name, .{ .mode = .read_write }) catch continue;
        defer lock.close();
        if ((locking.tryExclusive(lock) catch continue) == null) continue;
        const age = std.time.nanoTimestamp() - ((file_status.of(lock) catch continue).mtime);
        // Another process may have created it and not locked it yet.
        if (age < std.time.ns_per_s) continue;
        directory.deleteTree(entry.name[0 .. entry.name.len - lock_suffix.len]) catch continue;
        directory.deleteFile(entry.name) catch continue;
    }
}

test "a setting is one of three words or unknown" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var environment = try @import("environment.zig").inherit(arena.allocator());
    environment.entries.clearRetainingCapacity();
    try testing.expectEqual(.unset, Setting.read(environment).?);
    for ([_]struct { []const u8, ?Setting }{
        .{ "", .unset },    .{ "always", .always }, .{ "fallback", .fallback }, .{ "never", .never },
        .{ "unset", null }, .{ "1", null },
    }) |each| {
        try environment.put(variable, each[0]);
        try testing.expectEqual(each[1], Setting.read(environment));
    }
}

test "leftovers of dead processes are removed, and those of running ones stay" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const held = try makeProcessDirectory(tmp.dir);
    var directory = try tmp.dir.openDir(directory_name, .{ .iterate = true });
    defer directory.close();
    try directory.makePath(&(held ++ "/kept".*));
    try directory.makePath("0123456789abcdef/left");
    const left = try directory.createFile("0123456789abcdef.lock", .{});
    try left.updateTimes(0, 0);
    left.close();
    removeStale(directory);
    try directory.access(&(held ++ "/kept".*), .{});
    try testing.expectError(error.FileNotFound, directory.access("0123456789abcdef", .{}));
    try testing.expectError(error.FileNotFound, directory.access("0123456789abcdef.lock", .{}));
}
