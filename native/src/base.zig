//! The base directory contains the installations. All scies of one user share it, or all users of a host do.
//!
//! No other user may be able to put anything there: the user or root owns the directory, no one else may write to it,
//! it is not a symbolic link, and the same is true of the directories above it.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const Ancestors = @import("ancestors.zig").Ancestors;
const ancestors = @import("ancestors.zig");
const Environment = @import("environment.zig").Environment;
const file_status = @import("file_status.zig");
const filesystem = @import("filesystem.zig");
const last_use = @import("last_use.zig");
const locking = @import("lock.zig");
const manifest = @import("manifest.zig");
const process = @import("process.zig");
const report = @import("report.zig");
const users = @import("users.zig");

pub const Base = struct {
    directory: std.fs.Dir,
    path: []const u8,
    /// The worst age of its installations. Null if they do not exist yet.
    age: ?last_use.Age = null,
    /// Whether cleaners delete what lies there.
    temporary: bool = false,
    scope: Scope = .user,
    /// Which part of it is in memory, and lost when the process ends.
    memory: enum { none, executables, all } = .none,
};

pub const Candidate = struct {
    path: []const u8,
    /// The setting that names it, such as `CZSCIE_BASE`; null for a default.
    setting: ?[]const u8 = null,
    /// Whether cleaners delete what lies there.
    temporary: bool = false,
    scope: Scope = .user,
    /// The home directory that contains it.
    home: ?[]const u8 = null,

    /// Why root does not create it: if the home directory does not exist yet (autofs, pam_mkhomedir), root would own
    /// it.
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

/// Whose installations a base directory contains.
pub const Scope = enum {
    user,
    /// Root, for all users of the host.
    host,
    /// The same for another user, who starts from it and cannot change it.
    host_read_only,
};

/// The directory in which root installs for all users.
pub const host_directory = switch (builtin.os.tag) {
    .windows => "",
    .macos => "/Library/Caches/czscie",
    else => "/var/cache/czscie",
};

/// Why a candidate is not used.
pub const Refusal = struct {
    candidate: Candidate,
    reason: []const u8,
    /// Whether earlier starts used it.
    unexpected: bool = false,

    /// Whether a start reports the refusal: if a setting names the candidate, or earlier starts used it.
    pub fn isReported(refusal: Refusal) bool {
        return refusal.candidate.setting != null or refusal.unexpected;
    }
};

pub const locks_directory = "locks";

/// The last use of an installation that a tool is removing. It is older than the boot, so a start checks the
/// installation, which takes its lock.
pub const removal_mark: last_use.Time = 0;

const has_users = builtin.os.tag != .windows;

/// The candidates, best first. If `is_private`, other users cannot read the executable, and its parts are not unpacked
/// for them.
pub fn candidates(
    arena: Allocator,
    environment: Environment,
    lift_base: ?[]const u8,
    is_private: bool,
) ![]const Candidate {
    var found: std.ArrayList(Candidate) = try .initCapacity(arena, 12);
    for ([_][]const u8{ "CZSCIE_BASE", "SCIE_BASE" }) |setting| {
        const path = environment.get(setting) orelse continue;
        try appendSetting(arena, environment, &found, path, setting);
    }
    if (lift_base) |path| try appendSetting(arena, environment, &found, path, "the lift's base");
    const host: Candidate = .{ .path = host_directory, .scope = if (users.isRoot()) .host else .host_read_only };
    if (has_users and host.scope == .host and !is_private) try found.append(arena, host);
    if (try userCache(arena, environment)) |place| try found.append(arena, place);
    if (has_users and host.scope == .host_read_only) try found.append(arena, host);
    try appendTemporary(arena, environment, &found);
    return found.items;
}

fn appendSetting(
    arena: Allocator,
    environment: Environment,
    found: *std.ArrayList(Candidate),
    path: []const u8,
    setting: []const u8,
) error{OutOfMemory}!void {
    if (path.len == 0) return;
    const place = try absolute(arena, environment, path) orelse return;
    try found.append(arena, .{ .path = place, .setting = setting });
}

/// Begins the path at the home directory if one of its components is `~`, and resolves relative paths against the
/// working directory. Null if the environment does not tell the home directory.
fn absolute(arena: Allocator, environment: Environment, path: []const u8) error{OutOfMemory}!?[]const u8 {
    if (homeEnd(path)) |end| {
        const home = environment.get(home_variable) orelse return null;
        return try std.mem.concat(arena, u8, &.{ home, path[end..] });
    }
    if (std.fs.path.isAbsolute(path)) return path;
    const here = std.process.getCwdAlloc(arena) catch |err| return if (err == error.OutOfMemory) error.OutOfMemory else path;
    return try std.fs.path.join(arena, &.{ here, path });
}

/// One past the last component of `path` that is `~`.
fn homeEnd(path: []const u8) ?usize {
    var index = path.len;
    while (index > 0) {
        index -= 1;
        if (path[index] != '~') continue;
        const begins = index == 0 or std.fs.path.isSep(path[index - 1]);
        const ends = index + 1 == path.len or std.fs.path.isSep(path[index + 1]);
        if (begins and ends) return index + 1;
    }
    return null;
}

const home_variable = if (builtin.os.tag == .windows) "USERPROFILE" else "HOME";

/// The platform's cache directory.
fn userCache(arena: Allocator, environment: Environment) !?Candidate {
    const found = cacheRoot(environment) orelse return null;
    const own = if (builtin.os.tag == .windows) "czscie\\cache" else "czscie";
    const path = try std.fs.path.join(arena, &.{ found.root, found.below, own });
    return .{ .path = path, .home = if (found.is_home) found.root else null };
}

/// The directory in which the programs of the user keep their caches; null if the environment does not tell it.
pub fn cacheDirectory(arena: Allocator, environment: Environment) error{OutOfMemory}!?[]const u8 {
    const found = cacheRoot(environment) orelse return null;
    return try std.fs.path.join(arena, &.{ found.root, found.below });
}

const CacheRoot = struct { root: []const u8, below: []const u8, is_home: bool };

fn cacheRoot(environment: Environment) ?CacheRoot {
    const variable, const below = switch (builtin.os.tag) {
        .windows => .{ "LOCALAPPDATA", "" },
        .macos => .{ "HOME", "Library/Caches" },
        else => xdg: {
            if (environment.get("XDG_CACHE_HOME")) |cache| {
                if (std.fs.path.isAbsolute(cache)) break :xdg .{ "XDG_CACHE_HOME", "" };
            }
            break :xdg .{ "HOME", ".cache" };
        },
    };
    const root = environment.get(variable) orelse return null;
    if (!std.fs.path.isAbsolute(root)) return null;
    return .{ .root = root, .below = below, .is_home = std.mem.eql(u8, variable, "HOME") };
}

/// Appends temporary directories. All users may write to them, so the name of the user's own directory has the user
/// id.
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

/// The candidate as a base directory, if it contains all of `files`. A warm start checks nothing else.
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

/// Whether root is removing one of `files`: other users cannot wait for the lock.
fn isBeingRemoved(directory: std.fs.Dir, files: []const manifest.File) bool {
    for (files) |file| if (lastUse(directory, file) == removal_mark) return true;
    return false;
}

fn examineAncestors(path: []const u8) Ancestors {
    return if (has_users) ancestors.examine(path) else .{ .state = .safe };
}

/// Why an installation below `path` cannot start; null if it can. CPython reads pyvenv.cfg, which names the base
/// directory, as lines of strict UTF-8. A bundled C library is in a list of directories (ld.so(8)).
pub fn pathProblem(path: []const u8, files: []const manifest.File) ?[]const u8 {
    if (!std.unicode.utf8ValidateSlice(path)) return "Python cannot start from a path that is not UTF-8";
    if (std.mem.indexOfAny(u8, path, "\r\n") != null) return "pyvenv.cfg cannot hold a path with a line break";
    for (files) |file| if (file.kind == .libc and std.mem.indexOfAny(u8, path, ":;$") != null) {
        return "the loader of the bundled C library cannot start from a path with : ; or $";
    };
    return null;
}

/// The worst age of `files`; null if one is not installed.
fn oldestAge(directory: std.fs.Dir, files: []const manifest.File) ?last_use.Age {
    var worst: last_use.Age = .recent;
    for (files) |file| {
        const age = last_use.ageOf(lastUse(directory, file) orelse return null);
        if (@intFromEnum(age) > @intFromEnum(worst)) worst = age;
    }
    return worst;
}

/// Why a start cannot use the base directory `path`, for messages.
pub fn startProblem(arena: Allocator, path: []const u8, files: []const manifest.File) error{OutOfMemory}![]const u8 {
    const above = examineAncestors(path);
    if (try above.problem(arena)) |reason| return reason;
    const directory = openNoFollow(path) catch |err| return openProblem(err);
    defer close(directory);
    if (trustProblem(directory, &above, .reading)) |reason| return reason;
    for (files) |file| if (!isInstalled(directory, file)) {
        return std.fmt.allocPrint(arena, "{s} is missing", .{file.name});
    };
    return "nothing is wrong with it";
}

/// Closes a directory that is not a variable.
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

/// Whether `file` is installed in the base directory.
pub fn isInstalled(directory: std.fs.Dir, file: manifest.File) bool {
    return lastUse(directory, file) != null;
}

/// The last use of `file`: the modification time of its directory. Null if it is not installed.
pub fn lastUse(directory: std.fs.Dir, file: manifest.File) ?last_use.Time {
    var buffer: Name = undefined;
    const status = file_status.at(directory, installationName(&buffer, file, "")) catch return null;
    return if (status.kind == .directory) status.mtime else null;
}

/// Whether the first module that the interpreter imports exists. Without it, the interpreter dies of `SIGABRT`.
pub fn hasFirstModule(directory: std.fs.Dir, file: manifest.File) bool {
    if (file.first_module.len == 0) return true;
    var buffer: [@sizeOf(Name) + manifest.first_module_length_max]u8 = undefined;
    const path = std.fmt.bufPrint(&buffer, "{s}/{s}/{s}", .{ file.kind.directory(), file.installedName(), file.first_module }) catch return true;
    file_status.checkExists(directory, path) catch |err| return err != error.FileNotFound;
    return true;
}

/// Records a use of `file`, as the modification time of its directory. Returns false if the directory is not writable.
pub fn touch(directory: std.fs.Dir, file: manifest.File) bool {
    var buffer: Name = undefined;
    return last_use.touch(directory, installationName(&buffer, file, ""));
}

/// Opens a directory, but no link to one. A trailing slash would make the system follow a link.
pub fn openNoFollow(path: []const u8) !std.fs.Dir {
    const trimmed = std.mem.trimRight(u8, path, "/");
    return std.fs.cwd().openDir(if (trimmed.len == 0) path else trimmed, .{ .no_follow = true });
}

pub const Purpose = enum { reading, writing };

/// Why the contents of `directory` could come from another user; null if they cannot.
fn trustProblem(directory: std.fs.Dir, above: *const Ancestors, purpose: Purpose) ?[]const u8 {
    if (!has_users) return null;
    const status = std.posix.fstat(directory.fd) catch return "cannot read its owner";
    const ours = status.uid == users.effective() or (purpose == .reading and status.uid == 0);
    if (!ours) return "it belongs to another user";
    if (status.mode & 0o022 != 0) return "other users can write to it (chmod 0700 fixes that)";
    if (above.isMountedByAnother(directory, status.dev)) return "another user may have mounted it";
    return null;
}

/// Returns the first candidate that contains `files` or in which they can be installed, and appends the candidates
/// before it to `refusals`. An earlier candidate wins even if a later one contains `files`, so a setting takes effect
/// at once. If no setting names the candidate, an installation that root made for all users wins over unpacking.
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

/// The candidate of `places` at `path`.
pub fn findCandidate(places: []const Candidate, path: []const u8) Candidate {
    for (places) |place| if (std.mem.eql(u8, place.path, path)) return place;
    return .{ .path = path };
}

/// `places` without the candidate at `path`.
pub fn without(arena: Allocator, places: []const Candidate, path: []const u8) error{OutOfMemory}![]const Candidate {
    var left: std.ArrayList(Candidate) = try .initCapacity(arena, places.len);
    for (places) |place| if (!std.mem.eql(u8, place.path, path)) left.appendAssumeCapacity(place);
    return left.items;
}

pub const Verdict = union(enum) {
    /// All files are installed there.
    installed,
    /// All files can be installed there.
    usable,
    refused: []const u8,
};

/// Predicts what `choose` does with a candidate, and creates nothing.
pub fn assess(arena: Allocator, place: Candidate, files: []const manifest.File) error{OutOfMemory}!Verdict {
    if (openInstalled(place, files)) |base| {
        close(base.directory);
        return .installed;
    }
    if (place.scope == .host_read_only) return .{ .refused = "root has not installed it there" };
    if (place.homeProblem()) |reason| return .{ .refused = reason };
    return assessForInstalling(arena, place, files, place.kind());
}

/// The index of the candidate that `choose` takes, given the verdict of `assess` on each.
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

/// The same for a candidate without installations.
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

/// For a directory that does not exist yet: the nearest existing directory above it has the same file system.
fn assessParent(arena: Allocator, path: []const u8, files: []const manifest.File, kind: Kind) error{OutOfMemory}!Verdict {
    const parent = std.fs.path.dirname(path) orelse return .{ .refused = "cannot create it" };
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
    return std.fmt.allocPrint(arena, "cannot create it: {s}", .{report.describe(err)});
}

fn openProblem(err: anyerror) []const u8 {
    return switch (err) {
        error.SymLinkLoop, error.NotDir => "it is a symbolic link or not a directory",
        else => report.describe(err),
    };
}

pub const Kind = enum {
    /// A cache of one user.
    cache,
    /// A cache of root, for all users.
    shared,
    /// A permanent installation, for all users.
    permanent,
    /// The data of one process that keeps its executables in memory.
    data,

    fn mode(kind: Kind) u9 {
        return switch (kind) {
            .cache, .data => 0o700,
            .shared, .permanent => 0o755,
        };
    }
};

/// Creates the base directory and its subdirectories. On failure, returns null and sets `reason`.
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

/// Creates the base directory. On failure, returns null and sets `reason`. Refuses a place where another user could
/// replace it, and a directory of another user, who could not write to it later.
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

/// Tries once for each component. std's makePath loops forever if a directory exists and does not accept entries, as
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
        return try std.fmt.allocPrint(arena, "cannot write to it: {s}", .{report.describe(err)});
    };
    return null;
}

/// Why the file system of `directory` is not suitable for `files`; null if it is.
fn fileSystemProblem(
    arena: Allocator,
    directory: std.fs.Dir,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!?[]const u8 {
    const statistics = filesystem.statistics(directory) orelse return null;
    if (statistics.read_only) return "it is on a read-only file system";
    if (kind == .data) return null; // how much of `files` goes here is not known yet
    if (statistics.no_execution) return "it is on a file system mounted noexec";
    const needed = missingBytes(directory, files);
    if (statistics.available >= needed) return null;
    return try std.fmt.allocPrint(arena, "it needs {d} MB, and {d} MB are free", .{
        needed / 1_000_000 + 1, statistics.available / 1_000_000,
    });
}

/// Creates the subdirectories of a base directory. Returns the reason if it fails.
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
        return try std.fmt.allocPrint(arena, "cannot lock files in it: {s}", .{report.describe(err)});
    };
    return null;
}

const cache_tag = "Signature: 8a477f597d28d172789f06886806bc55\n" ++
    "# Unpacked by czscie's executables. Safe to delete: the next start unpacks it again.\n";

/// Backup programs skip directories with this tag (https://bford.info/cachedir/). Completes the tag of a start that
/// was killed, and leaves any other tag as it is.
fn writeCacheTag(directory: std.fs.Dir) void {
    const file = directory.createFile("CACHEDIR.TAG", .{ .read = true, .truncate = false }) catch return;
    defer file.close();
    var buffer: [cache_tag.len]u8 = undefined;
    const written = buffer[0 .. file.preadAll(&buffer, 0) catch return];
    if (written.len == cache_tag.len or !std.mem.startsWith(u8, cache_tag, written)) return;
    file.pwriteAll(cache_tag, 0) catch {};
}

fn checkLocking(directory: std.fs.Dir, file: manifest.File) !void {
    const lock = try locking.Lock.open(directory, file.installedName());
    defer lock.close();
    _ = try locking.tryExclusive(lock);
}

fn makeSubdirectory(arena: Allocator, directory: std.fs.Dir, name: []const u8) error{OutOfMemory}!?[]const u8 {
    directory.makeDir(name) catch |err| if (err != error.PathAlreadyExists) {
        return try std.fmt.allocPrint(arena, "cannot write to it: {s}", .{report.describe(err)});
    };
    return null;
}

/// The bytes that installing the missing files takes.
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
    // Wine does not report the path of a directory.
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
    for ([_][2][]const u8{ .{ "/a/~/b", "/home/u/b" }, .{ "/a~/~b", "/a~/~b" }, .{ "~", "/home/u" }, .{ "/~/~/x/", "/home/u/x/" } }) |case| {
        try testing.expectEqualStrings(case[1], (try candidates(arena.allocator(), env, case[0], true))[1].path);
    }
    try testing.expectEqualStrings("/home/u/.cache", (try cacheDirectory(arena.allocator(), env)).?);
    env.remove("HOME");
    try testing.expectEqual(null, try cacheDirectory(arena.allocator(), env));
    for (try candidates(arena.allocator(), env, "~/x", true)) |place| try testing.expect(place.setting == null);
    try env.put("XDG_CACHE_HOME", "/x");
    try testing.expectEqualStrings("/x", (try cacheDirectory(arena.allocator(), env)).?);
    try testing.expectEqualStrings("/x/czscie", (try candidates(arena.allocator(), env, null, true))[0].path);
}

test "root installs for all users, others check there before they unpack" {
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

test "only an installation by root wins over a usable directory" {
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

test "a path that Python or a loader misreads is refused" {
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

test "a directory that others can write to, or a link, is refused" {
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

test "assess does not create a candidate" {
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

test "only a complete installation is found" {
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

test "an incomplete tag of a cache is completed, and a foreign one is kept" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    var buffer: [2 * cache_tag.len]u8 = undefined;
    const foreign = "Signature: 8a477f597d28d172789f06886806bc55\n# mine\n";
    for ([_][]const u8{ "", cache_tag[0..1], cache_tag[0 .. cache_tag.len - 1], cache_tag }) |found| {
        try tmp.dir.writeFile(.{ .sub_path = "CACHEDIR.TAG", .data = found });
        writeCacheTag(tmp.dir);
        try testing.expectEqualStrings(cache_tag, try tmp.dir.readFile("CACHEDIR.TAG", &buffer));
    }
    for ([_][]const u8{ foreign, cache_tag ++ "more" }) |found| {
        try tmp.dir.writeFile(.{ .sub_path = "CACHEDIR.TAG", .data = found });
        writeCacheTag(tmp.dir);
        try testing.expectEqualStrings(found, try tmp.dir.readFile("CACHEDIR.TAG", &buffer));
    }
    try tmp.dir.deleteFile("CACHEDIR.TAG");
    writeCacheTag(tmp.dir);
    try testing.expectEqualStrings(cache_tag, try tmp.dir.readFile("CACHEDIR.TAG", &buffer));
}
