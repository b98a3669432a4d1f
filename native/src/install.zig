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
const Lock = @import("lock.zig").Lock;
const manifest = @import("manifest.zig");
const plan_text = @import("plan.zig");
const unpacking = @import("unpack.zig");
const zip = @import("zip.zig");

pub const partial_suffix = ".partial";

/// Installs `file` of the executable below `base` unless it is there. On error `failure` has the particulars.
/// `application` is what messages call the executable.
pub fn install(
    arena: Allocator,
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    failure: *unpacking.Failure,
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
    failure: *unpacking.Failure,
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
    failure: *unpacking.Failure,
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
        try unpacking.unpack(arena, executable, file, directory, .{ .base = base.path, .root = root }, failure);
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
    failure: *unpacking.Failure,
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
    failure: *unpacking.Failure,
) !void {
    base.directory.access(".", .{ .mode = .write_only }) catch return;
    const lock = try Lock.acquire(base.directory, file, application);
    defer lock.release();
    const used = base_directory.lastUse(base.directory, file) orelse
        return makeInstallation(arena, executable, file, base, failure);
    if (!clock.isBeforeSystemStart(used)) return; // another process was faster
    const entries = try zip.readDirectory(arena, executable, file.range());
    const plan = try unpacking.readPlan(arena, executable, file, entries);
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
