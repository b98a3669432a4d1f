//! The base directory of a start that finds none: in memory, where it is gone with the application.
//!
//! Best a file system of the process's own. Where the system allows none, as engines of containers do not, files
//! in memory for what is executed, and for the rest a directory that can be written to and not executed from:
//! every container has one, /dev/shm. Either way each start unpacks again.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const linux = std.os.linux;
const file_status = @import("file_status.zig");
const base_directory = @import("base.zig");
const control_group = @import("control_group.zig");
const Base = base_directory.Base;
const Candidate = base_directory.Candidate;
const Environment = @import("environment.zig").Environment;
const locking = @import("lock.zig");
const manifest = @import("manifest.zig");
const memory_files = @import("memory_files.zig");
const private_mount = @import("private_mount.zig");

pub const variable = "CZSCIE_MEMORY";

/// When memory is used.
pub const Setting = enum {
    /// Where no directory will do, and that is told: what nobody asked for.
    unset,
    fallback,
    always,
    never,

    /// Null for a word that means nothing.
    pub fn read(environment: Environment) ?Setting {
        const word = environment.get(variable) orelse return .unset;
        if (word.len == 0) return .unset;
        const setting = std.meta.stringToEnum(Setting, word) orelse return null;
        return if (setting == .unset) null else setting;
    }
};

/// Below a base directory: a directory for each process that runs from memory, and a lock that it holds.
const directory_name = "memory";
const lock_suffix = ".lock";

/// What an application is given at least beside what is unpacked, in bytes.
const python_memory = 16 << 20;

const tmpfs_name = "memory (a tmpfs of its own)";
const memory_files_name = "memory (memfd_create)";

/// A base directory in memory for `files`; what stands against it is told in `refusals`.
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

/// What `make` would find, found out without making anything but processes.
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

/// What the application and what it starts are to know of `base`: there it need not be unpacked again.
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
        reason.* = "there is no empty directory to mount it on";
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

/// A candidate, if it is empty: then it is found again by what the application starts.
fn mountPoint(arena: Allocator, places: []const Candidate) error{OutOfMemory}!?[:0]const u8 {
    for (places) |place| {
        if (place.scope == .host_read_only) continue;
        var refused: []const u8 = "";
        _ = try base_directory.make(arena, place.path, &.{}, .cache, &refused) orelse continue;
        if (private_mount.isEmpty(place.path)) return try arena.dupeZ(u8, place.path);
    }
    return private_mount.unusedDirectory();
}

/// Why the control group's memory does not hold `files`, or null: a process that takes more is killed.
fn memoryLimitProblem(arena: Allocator, files: []const manifest.File) error{OutOfMemory}!?[]const u8 {
    const allowance = control_group.memoryLimit() orelse return null;
    var needed: u64 = python_memory;
    for (files) |file| needed +|= file.unpacked;
    if (needed <= allowance) return null;
    return try std.fmt.allocPrint(arena, "{d} MB are needed and the limit of memory is {d} MB", .{
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

const no_writable_directory = "there is no directory that can be written to";

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

/// Makes a name below `memory` this process's own, until it and what inherits its lock has ended.
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

/// Removes what processes that have ended left.
fn removeStale(directory: std.fs.Dir) void {
    var entries = directory.iterate();
    while (entries.next() catch return) |entry| {
        if (!std.mem.endsWith(u8, entry.name, lock_suffix)) continue;
        const lock = directory.openFile(entry.name, .{ .mode = .read_write }) catch continue;
        defer lock.close();
        if ((locking.tryExclusive(lock) catch continue) == null) continue;
        const age = std.time.nanoTimestamp() - ((file_status.of(lock) catch continue).mtime);
        // Another process may have made it and be about to lock it.
        if (age < std.time.ns_per_s) continue;
        directory.deleteTree(entry.name[0 .. entry.name.len - lock_suffix.len]) catch continue;
        directory.deleteFile(entry.name) catch continue;
    }
}

test "a setting is one of three words" {
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

test "what a process left in memory is swept, what one holds is not" {
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
