//! The base directory: where installations live, shared by all scies of one user, or by all users of a host.
//!
//! Another user must not be able to put anything there: the directory is the user's own (or root's), no one else may
//! write to it, it is not a symbolic link, and the same holds of the directories above it.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const file_status = @import("file_status.zig");
const Environment = @import("environment.zig").Environment;
const Ancestors = @import("ancestors.zig").Ancestors;
const ancestors = @import("ancestors.zig");
const last_use = @import("last_use.zig");
const filesystem = @import("filesystem.zig");
const locking = @import("lock.zig");
const manifest = @import("manifest.zig");
const process = @import("process.zig");
const report = @import("report.zig");
const users = @import("users.zig");

pub const Base = struct {
    directory: std.fs.Dir,
    path: []const u8,
    /// The worst that the last uses of its installations say of them. Null when they are made just now.
    age: ?last_use.Age = null,
    /// Whether cleaners delete what lies there.
    temporary: bool = false,
    scope: Scope = .user,
    /// What of it is in memory, and gone with the process.
    memory: enum { none, executables, all } = .none,
};

pub const Candidate = struct {
    path: []const u8,
    /// Who asked for it, when somebody did: `CZSCIE_BASE`.
    setting: ?[]const u8 = null,
    /// Whether cleaners delete what lies there.
    temporary: bool = false,
    scope: Scope = .user,
    /// The home directory that it lies in.
    home: ?[]const u8 = null,

    /// Why root makes nothing there: the home of somebody whose system has yet to make it (autofs, pam_mkhomedir)
    /// would be root's.
    fn homeProblem(candidate: Candidate) ?[]const u8 {
        const home = candidate.home orelse return null;
        if (!has_users or !users.isRoot()) return null;
        std.fs.cwd().access(home, .{}) catch |err| {
            if (err == error.FileNotFound) return "the home directory does not exist";
        };
        return null;
    }

    fn kind(candidate: Candidate) Kind {
        return if (candidate.scope == .user) .cache else .shared;
    }
};

/// Who keeps a base directory.
pub const Scope = enum {
    user,
    /// Root, for all users of the host.
    host,
    /// The same, seen by another user, who starts from it and changes nothing.
    host_read_only,
};

/// Where root installs for all users.
pub const host_directory = switch (builtin.os.tag) {
    .windows => "",
    .macos => "/Library/Caches/czscie",
    else => "/var/cache/czscie",
};

/// Why a candidate is not used.
pub const Refusal = struct {
    candidate: Candidate,
    reason: []const u8,
    /// Whether it would have been used before.
    unexpected: bool = false,

    /// Whether a start that uses another says so: where somebody asked for it, or it was used before.
    pub fn isReported(refusal: Refusal) bool {
        return refusal.candidate.setting != null or refusal.unexpected;
    }
};

pub const locks_directory = "locks";

/// The last use of an installation that is being removed. A start takes it for one before the start of the system,
/// and so for a reason to look at it with its lock held.
pub const removal_mark: last_use.Time = 0;

const has_users = builtin.os.tag != .windows;

/// Places to try, best first. `is_private` says that other users may not read the executable: then what it holds is
/// not unpacked for them.
pub fn candidates(
    arena: Allocator,
    environment: Environment,
    lift_base: ?[]const u8,
    is_private: bool,
) ![]const Candidate {
    var found: std.ArrayList(Candidate) = try .initCapacity(arena, 12);
    for ([_][]const u8{ "CZSCIE_BASE", "SCIE_BASE" }) |setting| {
        const path = environment.get(setting) orelse continue;
        if (path.len > 0) try found.append(arena, .{ .path = try absolute(arena, environment, path), .setting = setting });
    }
    if (lift_base) |path| try found.append(arena, .{ .path = try absolute(arena, environment, path), .setting = "the lift's base" });
    const host: Candidate = .{ .path = host_directory, .scope = if (users.isRoot()) .host else .host_read_only };
    if (has_users and host.scope == .host and !is_private) try found.append(arena, host);
    if (try userCache(arena, environment)) |place| try found.append(arena, place);
    if (has_users and host.scope == .host_read_only) try found.append(arena, host);
    try appendTemporary(arena, environment, &found);
    return found.items;
}

/// `~` at the front is the home directory; what is relative is relative to the working directory.
fn absolute(arena: Allocator, environment: Environment, path: []const u8) ![]const u8 {
    if (path[0] == '~' and (path.len == 1 or path[1] == '/')) {
        if (environment.get(home_variable)) |home| return std.mem.concat(arena, u8, &.{ home, path[1..] });
    }
    if (std.fs.path.isAbsolute(path)) return path;
    const here = std.process.getCwdAlloc(arena) catch return path;
    return std.fs.path.join(arena, &.{ here, path });
}

const home_variable = if (builtin.os.tag == .windows) "USERPROFILE" else "HOME";

/// The platform's own place for what can be made again.
fn userCache(arena: Allocator, environment: Environment) !?Candidate {
    const variable, const below = switch (builtin.os.tag) {
        .windows => .{ "LOCALAPPDATA", "czscie\\cache" },
        .macos => .{ "HOME", "Library/Caches/czscie" },
        else => xdg: {
            if (environment.get("XDG_CACHE_HOME")) |cache| {
                if (std.fs.path.isAbsolute(cache)) break :xdg .{ "XDG_CACHE_HOME", "czscie" };
            }
            break :xdg .{ "HOME", ".cache/czscie" };
        },
    };
    const root = environment.get(variable) orelse return null;
    if (!std.fs.path.isAbsolute(root)) return null;
    const path = try std.fs.path.join(arena, &.{ root, below });
    return .{ .path = path, .home = if (std.mem.eql(u8, variable, "HOME")) root else null };
}

/// Directories that everybody may write to get one of our own each: the name says whose it is.
fn appendTemporary(arena: Allocator, environment: Environment, found: *std.ArrayList(Candidate)) !void {
    if (!has_users) {
        const root = environment.get("TEMP") orelse return;
        return found.append(arena, .{ .path = try std.fs.path.join(arena, &.{ root, "czscie" }), .temporary = true });
    }
    const name = try std.fmt.allocPrint(arena, "czscie-{d}", .{users.effective()});
    for ([_]?[]const u8{ environment.get("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm" }) |root| {
        if (root == null or !std.fs.path.isAbsolute(root.?)) continue;
        try found.append(arena, .{ .path = try std.fs.path.join(arena, &.{ root.?, name }), .temporary = true });
    }
}

/// The first candidate that holds every one of `files`.
pub fn findInstalled(places: []const Candidate, files: []const manifest.File) ?Base {
    for (places) |place| if (openInstalled(place, files)) |base| return base;
    return null;
}

/// The candidate as a base directory if it holds every one of `files`: all that a warm start looks at.
fn openInstalled(place: Candidate, files: []const manifest.File) ?Base {
    if (pathProblem(place.path, files) != null) return null;
    const above = examineAncestors(place.path);
    if (above.state != .safe) return null;
    const directory = openNoFollow(place.path) catch return null;
    if (trustProblem(directory, &above, .reading) == null and !(place.scope == .host_read_only and isBeingRemoved(directory, files))) {
        if (oldestAge(directory, files)) |age| {
            return .{
                .directory = directory,
                .path = place.path,
                .age = age,
                .temporary = place.temporary,
                .scope = place.scope,
            };
        }
    }
    close(directory);
    return null;
}

/// Whether one of `files` is being removed, by root: other users cannot wait for its lock.
fn isBeingRemoved(directory: std.fs.Dir, files: []const manifest.File) bool {
    for (files) |file| if (lastUse(directory, file) == removal_mark) return true;
    return false;
}

fn examineAncestors(path: []const u8) Ancestors {
    return if (has_users) ancestors.examine(path) else .{ .state = .safe };
}

/// Why nothing that is installed below `path` would start, or null. CPython reads pyvenv.cfg, which names the base
/// directory, as lines of strict UTF-8. A bundled C library is in a list of directories (ld.so(8)).
pub fn pathProblem(path: []const u8, files: []const manifest.File) ?[]const u8 {
    if (!std.unicode.utf8ValidateSlice(path)) return "its path is not UTF-8, which Python cannot start from";
    if (std.mem.indexOfAny(u8, path, "\r\n") != null) return "its path has a line break, which pyvenv.cfg cannot hold";
    for (files) |file| if (file.kind == .libc and std.mem.indexOfAny(u8, path, ":;$") != null) {
        return "its path has one of the characters : ; $, which the loader of the bundled C library cannot start from";
    };
    return null;
}

/// The worst that the last uses of `files` say of them; null when one is not installed.
fn oldestAge(directory: std.fs.Dir, files: []const manifest.File) ?last_use.Age {
    var worst: last_use.Age = .recent;
    for (files) |file| {
        const age = last_use.ageOf(lastUse(directory, file) orelse return null);
        if (@intFromEnum(age) > @intFromEnum(worst)) worst = age;
    }
    return worst;
}

/// Why nothing is started from the base directory `path`, for people.
pub fn startProblem(arena: Allocator, path: []const u8, files: []const manifest.File) error{OutOfMemory}![]const u8 {
    const above = examineAncestors(path);
    if (try above.problem(arena)) |reason| return reason;
    const directory = openNoFollow(path) catch |err| return openProblem(err);
    defer close(directory);
    if (trustProblem(directory, &above, .reading)) |reason| return reason;
    for (files) |file| if (!isInstalled(directory, file)) {
        return std.fmt.allocPrint(arena, "{s} is not there", .{file.name});
    };
    return "it is in order";
}

pub fn close(directory: std.fs.Dir) void {
    var closing = directory;
    closing.close();
}

pub const Name = [128]u8;

/// `apps/<digest>` and the like, below the base directory.
pub fn installationName(buffer: *Name, file: manifest.File, suffix: []const u8) []const u8 {
    return std.fmt.bufPrint(buffer, "{s}/{s}{s}", .{ file.kind.directory(), file.installedName(), suffix }) catch
        unreachable; // a kind, 64 digits and our own suffixes
}

pub fn isInstalled(directory: std.fs.Dir, file: manifest.File) bool {
    return lastUse(directory, file) != null;
}

/// When `file` was used last, as the time of its directory tells; null when it is not installed.
pub fn lastUse(directory: std.fs.Dir, file: manifest.File) ?last_use.Time {
    var buffer: Name = undefined;
    const status = file_status.at(directory, installationName(&buffer, file, "")) catch return null;
    return if (status.kind == .directory) status.mtime else null;
}

/// Whether the first module that an interpreter imports is there: nothing but `SIGABRT` comes of it when it is not.
pub fn hasFirstModule(directory: std.fs.Dir, file: manifest.File) bool {
    if (file.first_module.len == 0) return true;
    var buffer: [@sizeOf(Name) + manifest.first_module_length_max]u8 = undefined;
    const path = std.fmt.bufPrint(&buffer, "{s}/{s}/{s}", .{ file.kind.directory(), file.installedName(), file.first_module }) catch return true;
    file_status.checkExists(directory, path) catch |err| return err != error.FileNotFound;
    return true;
}

/// Tells that `file` is used now, in the time of its directory. False where nothing may be written.
pub fn touch(directory: std.fs.Dir, file: manifest.File) bool {
    var buffer: Name = undefined;
    return last_use.touch(directory, installationName(&buffer, file, ""));
}

/// A slash at the end would have a link followed.
pub fn openNoFollow(path: []const u8) !std.fs.Dir {
    const trimmed = std.mem.trimRight(u8, path, "/");
    return std.fs.cwd().openDir(if (trimmed.len == 0) path else trimmed, .{ .no_follow = true });
}

pub const Purpose = enum { reading, writing };

/// Why what lies in `directory` could be another user's work, or null.
fn trustProblem(directory: std.fs.Dir, above: *const Ancestors, purpose: Purpose) ?[]const u8 {
    if (!has_users) return null;
    const status = std.posix.fstat(directory.fd) catch return "its owner cannot be told";
    const ours = status.uid == users.effective() or (purpose == .reading and status.uid == 0);
    if (!ours) return "it belongs to another user";
    if (status.mode & 0o022 != 0) return "other users may write to it (make its mode 0700)";
    if (above.isMountedByAnother(directory, status.dev)) return "another user may have mounted it";
    return null;
}

/// The first candidate that holds `files`, or in which they can be installed. Those before it are told in
/// `refusals`. An earlier candidate wins even when a later one holds them: a setting takes effect at once. Only what
/// root installed for all comes before unpacking where no setting asks for it.
pub fn choose(
    arena: Allocator,
    places: []const Candidate,
    files: []const manifest.File,
    refusals: *std.ArrayList(Refusal),
) error{OutOfMemory}!?Base {
    for (places) |place| {
        if (openInstalled(place, files)) |base| return base;
        if (place.scope == .host_read_only) continue;
        if (place.setting == null) if (openHostInstalled(places, files)) |base| return base;
        var reason = place.homeProblem() orelse "";
        if (reason.len == 0) if (try prepare(arena, place.path, files, place.kind(), &reason)) |directory| {
            return .{ .directory = directory, .path = place.path, .temporary = place.temporary, .scope = place.scope };
        };
        try refusals.append(arena, .{ .candidate = place, .reason = reason });
    }
    return null;
}

fn openHostInstalled(places: []const Candidate, files: []const manifest.File) ?Base {
    for (places) |place| if (place.scope == .host_read_only) return openInstalled(place, files);
    return null;
}

/// The one of `places` at `path`.
pub fn findCandidate(places: []const Candidate, path: []const u8) Candidate {
    for (places) |place| if (std.mem.eql(u8, place.path, path)) return place;
    return .{ .path = path };
}

/// `places` but the one at `path`.
pub fn without(arena: Allocator, places: []const Candidate, path: []const u8) error{OutOfMemory}![]const Candidate {
    var left: std.ArrayList(Candidate) = try .initCapacity(arena, places.len);
    for (places) |place| if (!std.mem.eql(u8, place.path, path)) left.appendAssumeCapacity(place);
    return left.items;
}

pub const Verdict = union(enum) {
    /// Everything is installed there.
    installed,
    /// Everything can be installed there.
    usable,
    refused: []const u8,
};

/// What `choose` would make of a candidate, found out without making anything.
pub fn assess(arena: Allocator, place: Candidate, files: []const manifest.File) error{OutOfMemory}!Verdict {
    if (openInstalled(place, files)) |base| {
        close(base.directory);
        return .installed;
    }
    if (place.scope == .host_read_only) return .{ .refused = "root has not installed it there" };
    if (place.homeProblem()) |reason| return .{ .refused = reason };
    return assessForInstalling(arena, place, files, place.kind());
}

/// Which of `places` `choose` would take, by what `assess` said of each.
pub fn chosenIndex(places: []const Candidate, verdicts: []const Verdict) ?usize {
    for (places, verdicts, 0..) |place, verdict, index| switch (verdict) {
        .installed => return index,
        .usable => {
            if (place.setting == null) for (places, verdicts, 0..) |other, other_verdict, read| {
                if (other.scope == .host_read_only and other_verdict == .installed) return read;
            };
            return index;
        },
        .refused => {},
    };
    return null;
}

/// The same of one that holds nothing.
pub fn assessForInstalling(
    arena: Allocator,
    place: Candidate,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!Verdict {
    if (pathProblem(place.path, files)) |reason| return .{ .refused = reason };
    const above = examineAncestors(place.path);
    if (try above.problem(arena)) |reason| return .{ .refused = reason };
    const directory = openNoFollow(place.path) catch |err| switch (err) {
        error.FileNotFound => return assessParent(arena, place.path, files, kind),
        else => return .{ .refused = openProblem(err) },
    };
    defer close(directory);
    return if (try installProblem(arena, directory, &above, files, kind)) |reason| .{ .refused = reason } else .usable;
}

/// Of a directory that would have to be made: the nearest one above it that is there has its file system.
fn assessParent(arena: Allocator, path: []const u8, files: []const manifest.File, kind: Kind) error{OutOfMemory}!Verdict {
    const parent = std.fs.path.dirname(path) orelse return .{ .refused = "it cannot be made" };
    const directory = std.fs.cwd().openDir(parent, .{}) catch |err| switch (err) {
        error.FileNotFound => return assessParent(arena, parent, files, kind),
        else => return .{ .refused = try creationProblem(arena, err) },
    };
    defer close(directory);
    if (try fileSystemProblem(arena, directory, files, kind)) |reason| return .{ .refused = reason };
    directory.access(".", .{ .mode = .write_only }) catch |err| return .{ .refused = try creationProblem(arena, err) };
    return .usable;
}

fn creationProblem(arena: Allocator, err: anyerror) error{OutOfMemory}![]const u8 {
    return std.fmt.allocPrint(arena, "it cannot be made: {s}", .{report.describe(err)});
}

fn openProblem(err: anyerror) []const u8 {
    return switch (err) {
        error.SymLinkLoop, error.NotDir => "it is a symbolic link or not a directory",
        else => report.describe(err),
    };
}

pub const Kind = enum {
    /// Of one user, and can be made again at any time.
    cache,
    /// The same for all users, of root.
    shared,
    /// Of everybody who may start what is installed there.
    permanent,
    /// Of one process, which has what it executes elsewhere.
    data,

    fn mode(kind: Kind) u9 {
        return switch (kind) {
            .cache, .data => 0o700,
            .shared, .permanent => 0o755,
        };
    }
};

/// Makes the base directory with what lies in it, or says why that is not possible.
pub fn prepare(
    arena: Allocator,
    path: []const u8,
    files: []const manifest.File,
    kind: Kind,
    reason: *[]const u8,
) error{OutOfMemory}!?std.fs.Dir {
    const mask = if (kind == .shared) process.setPublicUmask() else null;
    defer process.restoreUmask(mask);
    const above = try make(arena, path, files, kind, reason) orelse return null;
    const directory = openNoFollow(path) catch |err| {
        reason.* = openProblem(err);
        return null;
    };
    reason.* = try installProblem(arena, directory, &above, files, kind) orelse
        try makeContents(arena, directory, files, kind) orelse return directory;
    close(directory);
    return null;
}

/// Makes the base directory, or says why that is not possible. Nothing is made where another user could exchange
/// it, nor in a directory of another user, who could not write to it then.
pub fn make(
    arena: Allocator,
    path: []const u8,
    files: []const manifest.File,
    kind: Kind,
    reason: *[]const u8,
) error{OutOfMemory}!?Ancestors {
    reason.* = pathProblem(path, files) orelse refused: {
        var above = examineAncestors(path);
        makeDirectory(path, &above, kind) catch |err| break :refused try creationProblem(arena, err);
        break :refused try above.problem(arena) orelse return above;
    };
    return null;
}

fn makeDirectory(path: []const u8, above: *Ancestors, kind: Kind) !void {
    if (!has_users) return makeWithParents(path);
    for (0..std.fs.max_path_bytes) |_| {
        if (above.state != .incomplete) break;
        const parent = try openNoFollow(above.directory());
        defer close(parent);
        parent.makeDir(above.missing()) catch |err| if (err != error.PathAlreadyExists) return err;
        above.* = examineAncestors(path);
    }
    if (above.state != .safe) return;
    const parent = try openNoFollow(above.directory());
    defer close(parent);
    const name = std.fs.path.basename(path);
    if (name.len == 0) return; // it is the root
    std.posix.mkdirat(parent.fd, name, kind.mode()) catch |err| if (err != error.PathAlreadyExists) return err;
}

/// One try for each component: std's makePath never returns where a directory is there and cannot be made in, as
/// in /proc.
fn makeWithParents(path: []const u8) !void {
    const here = std.fs.cwd();
    here.makeDir(path) catch |err| switch (err) {
        error.PathAlreadyExists => {},
        error.FileNotFound => {
            try makeWithParents(std.fs.path.dirname(path) orelse return err);
            here.makeDir(path) catch |again| if (again != error.PathAlreadyExists) return again;
        },
        else => return err,
    };
}

/// Why `files` cannot be installed in `directory`, or null.
pub fn installProblem(
    arena: Allocator,
    directory: std.fs.Dir,
    above: *const Ancestors,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!?[]const u8 {
    if (trustProblem(directory, above, .writing)) |reason| return reason;
    if (try fileSystemProblem(arena, directory, files, kind)) |reason| return reason;
    directory.access(".", .{ .mode = .write_only }) catch |err| {
        return try std.fmt.allocPrint(arena, "it cannot be written to: {s}", .{report.describe(err)});
    };
    return null;
}

/// Why the file system of `directory` will not do for `files`, or null.
fn fileSystemProblem(
    arena: Allocator,
    directory: std.fs.Dir,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!?[]const u8 {
    const statistics = filesystem.statistics(directory) orelse return null;
    if (statistics.read_only) return "it is on a read-only file system";
    if (kind == .data) return null; // how much of `files` comes to lie here is not known yet
    if (statistics.no_execution) return "it is on a file system mounted noexec";
    const needed = missingBytes(directory, files);
    if (statistics.available >= needed) return null;
    return try std.fmt.allocPrint(arena, "{d} MB are needed and {d} MB are free", .{
        needed / 1_000_000 + 1, statistics.available / 1_000_000,
    });
}

/// Makes what every base directory holds, or says why that is not possible.
fn makeContents(
    arena: Allocator,
    directory: std.fs.Dir,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!?[]const u8 {
    if (kind == .cache or kind == .shared) writeCacheTag(directory);
    if (try makeSubdirectory(arena, directory, locks_directory)) |reason| return reason;
    for (files) |file| if (try makeSubdirectory(arena, directory, file.kind.directory())) |reason| return reason;
    if (files.len > 0) checkLocking(directory, files[0]) catch |err| {
        return try std.fmt.allocPrint(arena, "nothing can be locked there: {s}", .{report.describe(err)});
    };
    return null;
}

/// Backup programs leave out what carries this tag (https://bford.info/cachedir/).
fn writeCacheTag(directory: std.fs.Dir) void {
    const file = directory.createFile("CACHEDIR.TAG", .{ .exclusive = true }) catch return;
    defer file.close();
    file.writeAll("Signature: 8a477f597d28d172789f06886806bc55\n" ++
        "# What czscie's executables unpacked. It can be deleted; the next start makes it again.\n") catch {};
}

fn checkLocking(directory: std.fs.Dir, file: manifest.File) !void {
    const lock = try locking.Lock.open(directory, file.installedName());
    defer lock.close();
    _ = try locking.tryExclusive(lock);
}

fn makeSubdirectory(arena: Allocator, directory: std.fs.Dir, name: []const u8) error{OutOfMemory}!?[]const u8 {
    directory.makeDir(name) catch |err| if (err != error.PathAlreadyExists) {
        return try std.fmt.allocPrint(arena, "it cannot be written to: {s}", .{report.describe(err)});
    };
    return null;
}

/// Bytes that installing what is not there yet takes.
fn missingBytes(directory: std.fs.Dir, files: []const manifest.File) u64 {
    var sum: u64 = 0;
    for (files) |file| {
        if (!isInstalled(directory, file)) sum +|= file.unpacked;
    }
    return sum;
}

const file_for_tests: manifest.File = .{
    .name = "app",
    .kind = .app,
    .digest = "ab" ** 32,
    .offset = 0,
    .size = 0,
    .unpacked = 0,
};

fn candidateBelow(arena: Allocator, tmp: testing.TmpDir, name: []const u8) !Candidate {
    // Wine does not tell the path of a directory.
    const here = try std.process.getCwdAlloc(arena);
    return .{ .path = try std.fs.path.join(arena, &.{ here, ".zig-cache/tmp", &tmp.sub_path, name }) };
}

test "settings come before the user's cache, and that before temporary directories" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const environment = @import("environment.zig");
    var env = try environment.inherit(arena.allocator());
    env.entries.clearRetainingCapacity();
    try env.put("HOME", "/home/u");
    try env.put("SCIE_BASE", "~/scies");
    try env.put("TMPDIR", "relative");
    const found = try candidates(arena.allocator(), env, "/lift", true);
    try testing.expectEqualStrings("/home/u/scies", found[0].path);
    try testing.expectEqualStrings("SCIE_BASE", found[0].setting.?);
    try testing.expectEqualStrings("/lift", found[1].path);
    try testing.expectEqualStrings("/home/u/.cache/czscie", found[2].path);
    try testing.expect(std.mem.startsWith(u8, found[found.len - 3].path, "/tmp/czscie-"));
    env.remove("HOME");
    try env.put("XDG_CACHE_HOME", "/x");
    try testing.expectEqualStrings("/x/czscie", (try candidates(arena.allocator(), env, null, true))[1].path);
}

test "root installs for all users, others look there before they unpack" {
    if (!has_users) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const environment = try @import("environment.zig").inherit(arena.allocator());
    for ([_]bool{ false, true }) |is_private| {
        var found: ?Candidate = null;
        for (try candidates(arena.allocator(), environment, null, is_private)) |place| {
            if (std.mem.eql(u8, place.path, host_directory)) found = place;
        }
        if (users.isRoot()) {
            try testing.expectEqual(is_private, found == null);
        } else {
            try testing.expectEqual(.host_read_only, found.?.scope);
        }
    }
}

test "of what is chosen, only what root installed goes before a directory that can be used" {
    const own: Candidate = .{ .path = "/own" };
    const host: Candidate = .{ .path = host_directory, .scope = .host_read_only };
    const setting: Candidate = .{ .path = "/set", .setting = "CZSCIE_BASE" };
    const refused: Verdict = .{ .refused = "" };
    try testing.expectEqual(1, chosenIndex(&.{ own, host }, &.{ .usable, .installed }));
    try testing.expectEqual(0, chosenIndex(&.{ own, host }, &.{ .installed, .installed }));
    try testing.expectEqual(0, chosenIndex(&.{ own, host }, &.{ .usable, refused }));
    try testing.expectEqual(0, chosenIndex(&.{ setting, host }, &.{ .usable, .installed }));
    try testing.expectEqual(1, chosenIndex(&.{ setting, host }, &.{ refused, .installed }));
    try testing.expectEqual(null, chosenIndex(&.{ setting, host }, &.{ refused, refused }));
}

test "a path that Python or a loader would take for another is not used" {
    const library: manifest.File = .{
        .name = "libc",
        .kind = .libc,
        .digest = "ab" ** 32,
        .offset = 0,
        .size = 0,
        .unpacked = 0,
    };
    for ([_][]const u8{ "/a\nb", "/a\rb", "/a\xffb" }) |path| {
        try testing.expect(pathProblem(path, &.{}) != null);
    }
    for ([_][]const u8{ "/a b", "/a\tb", "/a\"'$`\\b", "/\xc3\xa4" }) |path| try testing.expectEqual(null, pathProblem(path, &.{}));
    for ([_][]const u8{ "/a:b", "/a;b", "/a$b" }) |path| {
        try testing.expectEqual(null, pathProblem(path, &.{file_for_tests}));
        try testing.expect(pathProblem(path, &.{library}) != null);
    }
}

test "a directory that others can write to or that is a link is not used" {
    if (!has_users) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makeDir("open");
    var open = try tmp.dir.openDir("open", .{ .iterate = true });
    defer open.close();
    try open.chmod(0o777);
    try open.makePath("apps/" ++ "ab" ** 32);
    try tmp.dir.symLink("open", "link", .{});
    const places = [_]Candidate{
        try candidateBelow(arena.allocator(), tmp, "open"),
        try candidateBelow(arena.allocator(), tmp, "link"),
        try candidateBelow(arena.allocator(), tmp, "fresh/base"),
    };
    const files = [_]manifest.File{file_for_tests};
    try testing.expectEqual(null, findInstalled(&places, &files));
    var refusals: std.ArrayList(Refusal) = .empty;
    const base = (try choose(arena.allocator(), &places, &files, &refusals)).?;
    defer close(base.directory);
    try testing.expectEqualStrings(places[2].path, base.path);
    try testing.expectEqual(2, refusals.items.len);
    const status = try std.posix.fstat(base.directory.fd);
    try testing.expectEqual(0o700, status.mode & 0o777);
}

test "a candidate is assessed without being made" {
    if (!has_users) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const files = [_]manifest.File{file_for_tests};
    const fresh = try candidateBelow(arena.allocator(), tmp, "new/base");
    try testing.expectEqual(.usable, try assess(arena.allocator(), fresh, &files));
    try testing.expectError(error.FileNotFound, tmp.dir.access("new", .{}));
    try tmp.dir.makePath("base/apps/" ++ "ab" ** 32);
    const there = try candidateBelow(arena.allocator(), tmp, "base");
    try testing.expectEqual(.installed, try assess(arena.allocator(), there, &files));
    try tmp.dir.symLink("base", "link", .{});
    const link = try candidateBelow(arena.allocator(), tmp, "link");
    try testing.expectEqualStrings(
        "it is a symbolic link or not a directory",
        (try assess(arena.allocator(), link, &files)).refused,
    );
}

test "an installation is found where it is whole" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const files = [_]manifest.File{file_for_tests};
    const places = [_]Candidate{try candidateBelow(arena.allocator(), tmp, "base")};
    try testing.expectEqual(null, findInstalled(&places, &files));
    try tmp.dir.makePath("base/apps/" ++ ("ab" ** 32)[0..manifest.installed_name_length] ++ ".partial");
    try testing.expectEqual(null, findInstalled(&places, &files));
    try tmp.dir.makePath("base/apps/" ++ ("ab" ** 32)[0..manifest.installed_name_length]);
    const base = findInstalled(&places, &files).?;
    close(base.directory);
}
