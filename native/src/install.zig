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

/// One part of the executable and the base directory that it is to stand in.
pub const Installation = struct {
    arena: Allocator,
    /// What messages call the executable.
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    /// The particulars of `error.Failed`.
    failure: unpacking.Failure = .{ .err = error.Unexpected, .subject = "" },

    /// Installs the part unless it is there.
    pub fn make(installation: *Installation) error{Failed}!void {
        installation.makeUnlessThere() catch |err| return installation.fail(err);
    }

    /// Looks at an installation that was made before the system was started: a power cut may have come between
    /// its rename and its data. If a file is shorter than planned all of it is installed again; if not, it counts
    /// as checked until the next start of the system. Where nothing can be written nothing can be mended either.
    pub fn recheck(installation: *Installation) error{Failed}!void {
        installation.recheckUnlocked() catch |err| return installation.fail(err);
    }

    fn fail(installation: *Installation, err: anyerror) error{Failed} {
        if (err != error.Failed) installation.failure.err = err;
        if (installation.failure.subject.len == 0) installation.failure.subject = installation.file.name;
        return error.Failed;
    }

    fn makeUnlessThere(installation: *Installation) !void {
        const directory = installation.base.directory;
        const lock = try Lock.acquire(directory, installation.file, installation.application);
        defer lock.release();
        if (base_directory.isInstalled(directory, installation.file)) return;
        sweep(directory, installation.file);
        try installation.makeLocked();
        lock.sign(installation.application);
    }

    /// Unpacks beside the final place and renames.
    fn makeLocked(installation: *Installation) !void {
        const directory = installation.base.directory;
        var partial_buffer: base_directory.Name = undefined;
        const partial = base_directory.installationName(&partial_buffer, installation.file, partial_suffix);
        try directory.deleteTree(partial);
        try directory.makeDir(partial);
        errdefer directory.deleteTree(partial) catch {};

        var final_buffer: base_directory.Name = undefined;
        const final = base_directory.installationName(&final_buffer, installation.file, "");
        {
            var unfinished = try directory.openDir(partial, .{});
            defer unfinished.close();
            const root = try std.fs.path.join(installation.arena, &.{ installation.base.path, final });
            try unpacking.unpack(
                installation.arena,
                installation.executable,
                installation.file,
                unfinished,
                .{ .base = installation.base.path, .root = root },
                &installation.failure,
            );
        }
        try directory.rename(partial, final);
    }

    fn recheckUnlocked(installation: *Installation) !void {
        const directory = installation.base.directory;
        const file = installation.file;
        directory.access(".", .{ .mode = .write_only }) catch return;
        const lock = try Lock.acquire(directory, file, installation.application);
        defer lock.release();
        const used = base_directory.lastUse(directory, file) orelse return installation.makeLocked();
        if (!clock.isBeforeSystemStart(used)) return; // another process was faster
        const entries = try zip.readDirectory(installation.arena, installation.executable, file.range());
        const plan = try unpacking.readPlan(installation.arena, installation.executable, file, entries);
        var name: base_directory.Name = undefined;
        const final = base_directory.installationName(&name, file, "");
        if (try isWhole(directory, final, plan)) {
            _ = base_directory.touch(directory, file);
            return;
        }
        var partial_name: base_directory.Name = undefined;
        const partial = base_directory.installationName(&partial_name, file, partial_suffix);
        try directory.deleteTree(partial);
        try directory.rename(final, partial);
        try installation.makeLocked();
    }
};

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
