//! An installation: the content of a plan, unpacked on all cores beside its final place and then renamed.
//!
//! A kill at any instant leaves nothing or everything under the final name. Only the holder of the lock writes. The
//! kernel releases the lock of a process that dies, and the next holder removes its leftovers.

const std = @import("std");
const Allocator = std.mem.Allocator;
const Base = @import("base.zig").Base;
const base_directory = @import("base.zig");
const damages = @import("damage.zig");
const entry_content = @import("entry.zig");
const file_changes = @import("file_changes.zig");
const last_use = @import("last_use.zig");
const locking = @import("lock.zig");
const Lock = locking.Lock;
const manifest = @import("manifest.zig");
const plan_text = @import("plan.zig");
const process = @import("process.zig");
const rendering = @import("rendering.zig");
const unpacking = @import("unpack.zig");
const zip = @import("zip.zig");

pub const Failure = unpacking.Failure;

pub const partial_suffix = ".partial";

/// The suffix of an unfinished installation, for a holder of the lock by `method`.
pub fn partialSuffix(method: locking.Method) []const u8 {
    return switch (method) {
        .flock => partial_suffix,
        .fcntl => ".fcntl" ++ partial_suffix,
    };
}

/// Why a start checks an installation.
pub const CheckReason = enum {
    /// The daily check. In a directory that cleaners clean, each start does it.
    routine,
    /// The first module is missing.
    first_module_missing,
    /// The system has booted since the last use: a power cut may have come between the rename and the data.
    uncertain,
    /// The program could not be started.
    start_failed,

    fn depth(reason: CheckReason) damages.Depth {
        return switch (reason) {
            .routine, .first_module_missing => .sizes,
            .uncertain, .start_failed => .contents,
        };
    }
};

/// One part of the executable, and the base directory for it.
pub const Installation = struct {
    arena: Allocator,
    /// The executable's name in messages.
    application: []const u8,
    executable: std.fs.File,
    file: manifest.File,
    base: Base,
    /// The suffix of the name while it is unpacked.
    suffix: []const u8 = partial_suffix,
    /// Whether a terminal shows how far unpacking is.
    shows_progress: bool = false,
    /// Why it failed, if it did.
    failure: ?Failure = null,

    /// Checks that everything in the plan exists, and restores what does not. Returns false if it cannot restore it
    /// because only another user may write there; `failure` names what is damaged.
    pub fn check(
        installation: *Installation,
        reader: *entry_content.Reader,
        reason: CheckReason,
    ) error{Failed}!bool {
        return installation.checkAndRepair(reader, reason) catch |err| return installation.fail(err);
    }

    fn fail(installation: *Installation, err: anyerror) error{Failed} {
        if (err == error.Failed) return error.Failed; // which has set the failure already
        installation.failure = .{ .err = err, .subject = installation.file.name };
        return error.Failed;
    }

    fn checkAndRepair(installation: *Installation, reader: *entry_content.Reader, reason: CheckReason) !bool {
        const directory = installation.base.directory;
        var is_writable = true;
        directory.access(".", .{ .mode = .write_only }) catch |err| {
            is_writable = false;
            // The check cannot be recorded, so each start would repeat it. A read-only file system loses no data.
            if (reason == .routine or (reason == .uncertain and err == error.ReadOnlyFileSystem)) return true;
        };
        const file = installation.file;
        var name: base_directory.Name = undefined;
        const installed = directory.openDir(base_directory.installationName(&name, file, ""), .{}) catch |err| {
            if (err != error.FileNotFound or !is_writable) return err;
            try installMissing(installation.arena, installation[0..1]); // another process has just removed it
            return true;
        };
        var subject: damages.Subject = .{
            .directory = installed,
            .places = try installation.places(),
            .plan = undefined,
            .executable = installation.executable,
            .entries = try zip.readDirectory(installation.arena, installation.executable, file.range()),
            .data_end = file.range().end,
        };
        defer subject.directory.close();
        subject.plan = try unpacking.readPlan(installation.arena, reader, file, subject.entries);
        if (is_writable and reason.depth() == .contents) return installation.repair(subject, reason);
        const depth: damages.Depth = if (reason == .start_failed) .contents else .sizes;
        const damage = try damages.find(installation.arena, subject, depth);
        const first = damage.first(subject.plan) orelse return true;
        if (is_writable) return installation.repair(subject, reason);
        installation.failure = .{ .err = error.Damaged, .subject = first };
        return false;
    }

    /// Restores what is damaged, if anything is. The search is repeated with the lock held.
    fn repair(installation: *Installation, subject: damages.Subject, reason: CheckReason) !bool {
        const directory = installation.base.directory;
        const file = installation.file;
        process.occupyStandardHandles();
        const signal = process.ignoreFileSizeSignal();
        defer process.restoreFileSizeSignal(signal);
        const lock = try Lock.acquire(directory, file, installation.application);
        defer lock.release();
        installation.suffix = partialSuffix(lock.method);
        const used = base_directory.lastUse(directory, file) orelse {
            try unpackLocked(&.{installation});
            return true;
        };
        if (reason == .uncertain and last_use.ageOf(used) != .uncertain) return true; // another process was faster
        const damage = try damages.find(installation.arena, subject, reason.depth());
        if (damage.first(subject.plan) != null) try installation.restore(subject, damage);
        installation.removePartial(); // the leftovers of a process that was killed here
        _ = base_directory.touch(directory, file);
        return true;
    }

    /// Restores each file by a rename, so a process that has the file open keeps its content.
    fn restore(installation: *Installation, subject: damages.Subject, damage: damages.Damage) !void {
        errdefer installation.removePartial();
        const mask = installation.setUmask();
        defer process.restoreUmask(mask);
        var parts = [_]unpacking.Part{try installation.begin()};
        const part = &parts[0];
        defer part.directory.close();
        const only = try damage.reduce(installation.arena, subject.plan);
        part.only = only;
        unpacking.unpack(installation.executable, &parts, .{}) catch |err| {
            installation.failure = part.failure;
            return err;
        };
        for (subject.plan.directories, damage.directories) |path, damaged| {
            if (damaged) try replaceByDirectory(subject.directory, path);
        }
        for (only.files) |file| try replace(part.directory, subject.directory, file.path);
        for (only.links) |link| try replace(part.directory, subject.directory, link.path);
    }

    fn setUmask(installation: Installation) @TypeOf(process.setPublicUmask()) {
        return if (installation.base.scope == .host) process.setPublicUmask() else null;
    }

    fn places(installation: Installation) !rendering.Places {
        var buffer: base_directory.Name = undefined;
        const base = installation.base.path;
        const final = base_directory.installationName(&buffer, installation.file, "");
        return .{ .base = base, .root = try std.fs.path.join(installation.arena, &.{ base, final }) };
    }

    /// Creates the directory to unpack into.
    fn begin(installation: *Installation) !unpacking.Part {
        const base = installation.base;
        var buffer: base_directory.Name = undefined;
        const partial = base_directory.installationName(&buffer, installation.file, installation.suffix);
        try base.directory.deleteTree(partial);
        try base.directory.makeDir(partial);
        const directory = try base.directory.openDir(partial, .{});
        return .{
            .file = installation.file,
            .directory = directory,
            .places = try installation.places(),
            .executables_in_memory = base.memory == .executables,
        };
    }

    /// Renames it to its final name, which only complete installations have.
    pub fn publish(installation: *Installation) !void {
        var partial_name: base_directory.Name = undefined;
        var name: base_directory.Name = undefined;
        const file = installation.file;
        const directory = installation.base.directory;
        const partial = base_directory.installationName(&partial_name, file, installation.suffix);
        const final = base_directory.installationName(&name, file, "");
        file_changes.rename(directory, partial, directory, final) catch |err| switch (err) {
            // A process that uses the other kind of lock was faster.
            error.PathAlreadyExists => installation.removePartial(),
            error.NotDir => { // the name belongs to a file
                try directory.deleteFile(final);
                try file_changes.rename(directory, partial, directory, final);
            },
            else => return err,
        };
    }

    /// Removes the unfinished installation.
    pub fn removePartial(installation: *Installation) void {
        var buffer: base_directory.Name = undefined;
        const partial = base_directory.installationName(&buffer, installation.file, installation.suffix);
        installation.base.directory.deleteTree(partial) catch {};
    }
};

/// Moves `path` from one directory to the other, and replaces what is there.
fn replace(from: std.fs.Dir, to: std.fs.Dir, path: []const u8) !void {
    file_changes.rename(from, path, to, path) catch |err| switch (err) {
        error.IsDir, error.PathAlreadyExists => {
            try to.deleteTree(path);
            try file_changes.rename(from, path, to, path);
        },
        else => return err,
    };
}

fn replaceByDirectory(directory: std.fs.Dir, path: []const u8) !void {
    directory.makeDir(path) catch |err| switch (err) {
        error.PathAlreadyExists => {
            try directory.deleteFile(path);
            try directory.makeDir(path);
        },
        else => return err,
    };
}

/// Installs those of `installations` that are missing, all or none; they are parts of one executable. On
/// `error.Failed`, one of them has a failure.
pub fn installMissing(arena: Allocator, installations: []Installation) error{ Failed, OutOfMemory }!void {
    // Every process takes several locks in the same order, so none waits for another in a circle.
    const ordered = try arena.alloc(*Installation, installations.len);
    for (installations, ordered) |*installation, *slot| slot.* = installation;
    std.mem.sortUnstable(*Installation, ordered, {}, isBefore);

    var locks: std.ArrayList(Lock) = try .initCapacity(arena, ordered.len);
    defer for (locks.items) |lock| lock.release();
    var missing: std.ArrayList(*Installation) = try .initCapacity(arena, ordered.len);
    for (ordered, 0..) |installation, i| {
        const directory = installation.base.directory;
        const file = installation.file;
        if (i > 0 and std.mem.eql(u8, file.installedName(), ordered[i - 1].file.installedName())) {
            if (file.kind == ordered[i - 1].file.kind) continue;
        } else {
            locks.appendAssumeCapacity(Lock.acquire(directory, file, installation.application) catch |err|
                return installation.fail(err));
        }
        installation.suffix = partialSuffix(locks.getLast().method);
        if (base_directory.isInstalled(directory, file)) continue;
        removeStale(directory, file);
        locks.getLast().recordApplication(installation.application);
        missing.appendAssumeCapacity(installation);
    }
    try unpackLocked(missing.items);
}

fn isBefore(_: void, one: *Installation, other: *Installation) bool {
    return switch (std.mem.order(u8, one.file.installedName(), other.file.installedName())) {
        .eq => @intFromEnum(one.file.kind) < @intFromEnum(other.file.kind),
        else => |order| order == .lt,
    };
}

/// Unpacks beside the final places, and then renames.
fn unpackLocked(installations: []const *Installation) error{ Failed, OutOfMemory }!void {
    if (installations.len == 0) return;
    const mask = installations[0].setUmask();
    defer process.restoreUmask(mask);
    errdefer for (installations) |installation| installation.removePartial();
    try unpackParts(installations);
    for (installations) |installation| installation.publish() catch |err| return installation.fail(err);
}

/// Unpacks into directories, and closes them in any case: Windows neither renames nor removes open ones.
fn unpackParts(installations: []const *Installation) error{ Failed, OutOfMemory }!void {
    const parts = try installations[0].arena.alloc(unpacking.Part, installations.len);
    var begun: usize = 0;
    defer for (parts[0..begun]) |*part| part.directory.close();
    for (installations, parts) |installation, *part| {
        part.* = installation.begin() catch |err| return installation.fail(err);
        begun += 1;
    }
    const options: unpacking.Options = .{ .shows_progress = installations[0].shows_progress };
    unpacking.unpack(installations[0].executable, parts, options) catch |err| {
        for (installations, parts) |installation, part| installation.failure = part.failure;
        return err;
    };
}

/// The application that made the installation `installed`; null if it is unknown.
pub fn installedBy(arena: Allocator, base: std.fs.Dir, installed: []const u8) error{OutOfMemory}!?[]const u8 {
    var name: base_directory.Name = undefined;
    const path = std.fmt.bufPrint(&name, "{s}/{s}", .{ base_directory.locks_directory, installed }) catch return null;
    var buffer: [256]u8 = undefined;
    const application = base.readFile(path, &buffer) catch return null;
    return if (application.len == 0) null else try arena.dupe(u8, application);
}

/// Removes unfinished installations of this kind that dead processes left. Ignores failures: leftovers do no harm.
pub fn removeStale(base: std.fs.Dir, file: manifest.File) void {
    var directory = base.openDir(file.kind.directory(), .{ .iterate = true }) catch return;
    defer directory.close();
    var each = directory.iterate();
    while (each.next() catch return) |entry| {
        if (!std.mem.endsWith(u8, entry.name, partial_suffix)) continue;
        const installed = entry.name[0 .. entry.name.len - partial_suffix.len];
        if (installed.len != file.installedName().len or std.mem.eql(u8, installed, file.installedName())) continue;
        const lock = Lock.open(base, installed) catch continue;
        defer lock.close();
        if ((locking.tryExclusive(lock) catch continue) == .flock) directory.deleteTree(entry.name) catch continue;
    }
}
