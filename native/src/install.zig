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
const Lock = @import("lock.zig").Lock;
const manifest = @import("manifest.zig");
const plan_text = @import("plan.zig");
const process = @import("process.zig");
const unpacking = @import("unpack.zig");
const zip = @import("zip.zig");

pub const Failure = unpacking.Failure;

pub const partial_suffix = ".partial";

/// One part of the executable and the base directory that it is to stand in.
pub const Installation = struct {
    arena: Allocator,
    /// What messages call the executable.
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    /// Why it failed, when it did.
    failure: ?Failure = null,

    /// Looks at an installation that was made before the system was started: a power cut may have come between
    /// its rename and its data. If a file is shorter than planned all of it is installed again; if not, it counts
    /// as checked until the next start of the system. Where nothing can be written nothing can be mended either.
    pub fn recheck(installation: *Installation) error{Failed}!void {
        installation.recheckUnlocked() catch |err| return installation.fail(err);
    }

    fn fail(installation: *Installation, err: anyerror) error{Failed} {
        if (err == error.Failed) return error.Failed; // and said why
        installation.failure = .{ .err = err, .subject = installation.file.name };
        return error.Failed;
    }

    fn recheckUnlocked(installation: *Installation) !void {
        const directory = installation.base.directory;
        const file = installation.file;
        directory.access(".", .{ .mode = .write_only }) catch return;
        const lock = try Lock.acquire(directory, file, installation.application);
        defer lock.release();
        const used = base_directory.lastUse(directory, file) orelse return makeLocked(&.{installation});
        if (!clock.isBeforeSystemStart(used)) return; // another process was faster
        var reader: entry_content.Reader = try .init(installation.executable);
        defer reader.deinit();
        const entries = try zip.readDirectory(installation.arena, installation.executable, file.range());
        const plan = try unpacking.readPlan(installation.arena, &reader, file, entries);
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
        try makeLocked(&.{installation});
    }

    /// Makes the directory that it is unpacked in.
    fn begin(installation: *Installation) !unpacking.Part {
        const base = installation.base;
        var buffer: base_directory.Name = undefined;
        const partial = base_directory.installationName(&buffer, installation.file, partial_suffix);
        try base.directory.deleteTree(partial);
        try base.directory.makeDir(partial);
        const directory = try base.directory.openDir(partial, .{});
        const final = base_directory.installationName(&buffer, installation.file, "");
        const root = try std.fs.path.join(installation.arena, &.{ base.path, final });
        return .{
            .file = installation.file,
            .directory = directory,
            .places = .{ .base = base.path, .root = root },
            .executables_in_memory = base.memory == .executables,
        };
    }

    /// Gives it its name, which nothing has that is not whole.
    fn conclude(installation: *Installation) !void {
        var partial_name: base_directory.Name = undefined;
        var name: base_directory.Name = undefined;
        const file = installation.file;
        try installation.base.directory.rename(
            base_directory.installationName(&partial_name, file, partial_suffix),
            base_directory.installationName(&name, file, ""),
        );
    }

    /// Removes what there is of it.
    fn abandon(installation: *Installation) void {
        var buffer: base_directory.Name = undefined;
        const partial = base_directory.installationName(&buffer, installation.file, partial_suffix);
        installation.base.directory.deleteTree(partial) catch {};
    }
};

/// Installs those of `installations`, all parts of one executable, that are not there: all or none of them. On
/// `error.Failed` one of them has a failure.
pub fn makeAll(arena: Allocator, installations: []Installation) error{ Failed, OutOfMemory }!void {
    // Whoever takes several locks takes them in the same order, or two processes could wait for each other.
    const ordered = try arena.alloc(*Installation, installations.len);
    for (installations, ordered) |*installation, *slot| slot.* = installation;
    std.mem.sortUnstable(*Installation, ordered, {}, comesBefore);

    var locks: std.ArrayList(Lock) = try .initCapacity(arena, ordered.len);
    defer for (locks.items) |lock| lock.release();
    var missing: std.ArrayList(*Installation) = try .initCapacity(arena, ordered.len);
    for (ordered, 0..) |installation, i| {
        const directory = installation.base.directory;
        const file = installation.file;
        if (i > 0 and std.mem.eql(u8, file.digest, ordered[i - 1].file.digest)) {
            if (file.kind == ordered[i - 1].file.kind) continue;
        } else {
            locks.appendAssumeCapacity(Lock.acquire(directory, file, installation.application) catch |err|
                return installation.fail(err));
        }
        if (base_directory.isInstalled(directory, file)) continue;
        sweep(directory, file);
        locks.getLast().sign(installation.application);
        missing.appendAssumeCapacity(installation);
    }
    try makeLocked(missing.items);
}

fn comesBefore(_: void, one: *Installation, other: *Installation) bool {
    return switch (std.mem.order(u8, one.file.digest, other.file.digest)) {
        .eq => @intFromEnum(one.file.kind) < @intFromEnum(other.file.kind),
        else => |order| order == .lt,
    };
}

/// Unpacks beside the final places and renames.
fn makeLocked(installations: []const *Installation) error{ Failed, OutOfMemory }!void {
    if (installations.len == 0) return;
    const mask = if (installations[0].base.whose == .hosts) process.readableByAll() else null;
    defer process.restoreMask(mask);
    errdefer for (installations) |installation| installation.abandon();
    const parts = try installations[0].arena.alloc(unpacking.Part, installations.len);
    for (installations, parts) |installation, *part| {
        part.* = installation.begin() catch |err| return installation.fail(err);
    }
    unpacking.unpack(installations[0].executable, parts) catch |err| {
        for (installations, parts) |installation, part| installation.failure = part.failure;
        return err;
    };
    for (installations, parts) |installation, *part| {
        part.directory.close();
        installation.conclude() catch |err| return installation.fail(err);
    }
}

/// Whether every file of the plan is there and no shorter than it must be.
pub fn isWhole(base: std.fs.Dir, installation: []const u8, plan: plan_text.Plan) !bool {
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

/// Removes what processes that died left of other installations of this kind. Whatever cannot be removed stays:
/// it is in nobody's way.
pub fn sweep(base: std.fs.Dir, file: manifest.File) void {
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
