//! The base directory: where installations live, shared by all scies of one user.
//!
//! Another user must not be able to put anything there: the directory is ours (or root's), nobody else may
//! write to it, and it is not a symbolic link. A start that finds its installations asks nothing more.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const Environment = @import("environment.zig").Environment;
const clock = @import("clock.zig");
const filesystem = @import("filesystem.zig");
const manifest = @import("manifest.zig");
const report = @import("report.zig");

pub const Base = struct {
    directory: std.fs.Dir,
    path: []const u8,
    /// When the installation that was used longest ago was used last. Null when they were made just now.
    last_use: ?clock.Time = null,
    /// What of it is in memory, and gone with the process.
    memory: enum { none, executables, all } = .none,
};

pub const Candidate = struct {
    path: []const u8,
    /// Who asked for it, when somebody did: `CZSCIE_BASE`.
    setting: ?[]const u8 = null,
};

/// Why a candidate is not used.
pub const Refusal = struct { candidate: Candidate, reason: []const u8 };

pub const locks_directory = "locks";

const has_users = builtin.os.tag != .windows;

/// Places to try, best first.
pub fn candidates(arena: Allocator, environment: Environment, lift_base: ?[]const u8) ![]const Candidate {
    var found: std.ArrayList(Candidate) = try .initCapacity(arena, 12);
    for ([_][]const u8{ "CZSCIE_BASE", "SCIE_BASE" }) |setting| {
        const path = environment.get(setting) orelse continue;
        if (path.len > 0) try found.append(arena, .{ .path = try absolute(arena, environment, path), .setting = setting });
    }
    if (lift_base) |path| try found.append(arena, .{ .path = try absolute(arena, environment, path), .setting = "the lift's base" });
    if (try userCache(arena, environment)) |path| try found.append(arena, .{ .path = path });
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
fn userCache(arena: Allocator, environment: Environment) !?[]const u8 {
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
    return try std.fs.path.join(arena, &.{ root, below });
}

/// Directories that everybody may write to get one of our own each: the name says whose it is.
fn appendTemporary(arena: Allocator, environment: Environment, found: *std.ArrayList(Candidate)) !void {
    if (!has_users) {
        const root = environment.get("TEMP") orelse return;
        return found.append(arena, .{ .path = try std.fs.path.join(arena, &.{ root, "czscie" }) });
    }
    const name = try std.fmt.allocPrint(arena, "czscie-{d}", .{effectiveUser()});
    for ([_]?[]const u8{ environment.get("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm" }) |root| {
        if (root == null or !std.fs.path.isAbsolute(root.?)) continue;
        try found.append(arena, .{ .path = try std.fs.path.join(arena, &.{ root.?, name }) });
    }
}

fn effectiveUser() std.posix.uid_t {
    if (builtin.os.tag == .linux) return std.os.linux.geteuid();
    return std.c.geteuid();
}

/// The first candidate that holds every one of `files`.
pub fn holding(places: []const Candidate, files: []const manifest.File) ?Base {
    for (places) |place| if (held(place, files)) |base| return base;
    return null;
}

/// The candidate as a base directory if it holds every one of `files`: all that a warm start looks at.
fn held(place: Candidate, files: []const manifest.File) ?Base {
    if (!isNameable(place.path)) return null;
    const directory = openNoFollow(place.path) catch return null;
    if (distrust(directory, .reading) == null) {
        if (lastUseOfAll(directory, files)) |last_use| {
            return .{ .directory = directory, .path = place.path, .last_use = last_use };
        }
    }
    close(directory);
    return null;
}

/// CPython reads pyvenv.cfg, which names the base directory, as strict UTF-8.
pub fn isNameable(path: []const u8) bool {
    return std.unicode.utf8ValidateSlice(path);
}

/// When the one of `files` that was used longest ago was used last; null when one is not installed.
fn lastUseOfAll(directory: std.fs.Dir, files: []const manifest.File) ?clock.Time {
    var last_use: clock.Time = std.math.maxInt(clock.Time);
    for (files) |file| last_use = @min(last_use, lastUse(directory, file) orelse return null);
    return last_use;
}

/// Why nothing is started from the base directory `path`, for people.
pub fn reasonNotToStart(arena: Allocator, path: []const u8, files: []const manifest.File) error{OutOfMemory}![]const u8 {
    const directory = openNoFollow(path) catch |err| return openingProblem(err);
    defer close(directory);
    if (distrust(directory, .reading)) |reason| return reason;
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
    return std.fmt.bufPrint(buffer, "{s}/{s}{s}", .{ file.kind.directory(), file.digest, suffix }) catch
        unreachable; // a kind, 64 digits and our own suffixes
}

pub fn isInstalled(directory: std.fs.Dir, file: manifest.File) bool {
    return lastUse(directory, file) != null;
}

/// When `file` was used last, as the time of its directory tells; null when it is not installed.
pub fn lastUse(directory: std.fs.Dir, file: manifest.File) ?clock.Time {
    var buffer: Name = undefined;
    const status = directory.statFile(installationName(&buffer, file, "")) catch return null;
    return status.mtime;
}

/// Tells that `file` is used now, in the time of its directory. False where nothing may be written.
pub fn touch(directory: std.fs.Dir, file: manifest.File) bool {
    var buffer: Name = undefined;
    return clock.touch(directory, installationName(&buffer, file, ""));
}

pub fn openNoFollow(path: []const u8) !std.fs.Dir {
    return std.fs.cwd().openDir(path, .{ .no_follow = true });
}

pub const Purpose = enum { reading, writing };

/// Why what lies in `directory` could be somebody else's work, or null.
pub fn distrust(directory: std.fs.Dir, purpose: Purpose) ?[]const u8 {
    if (!has_users) return null;
    const status = std.posix.fstat(directory.fd) catch return "its owner cannot be told";
    const ours = status.uid == effectiveUser() or (purpose == .reading and status.uid == 0);
    if (!ours) return "it belongs to another user";
    if (status.mode & 0o022 != 0) return "other users may write to it (make its mode 0700)";
    return null;
}

/// The first candidate that holds `files`, or in which they can be installed. Those before it are told in
/// `refusals`. An earlier candidate wins even when a later one holds them: a setting takes effect at once.
pub fn choose(
    arena: Allocator,
    places: []const Candidate,
    files: []const manifest.File,
    refusals: *std.ArrayList(Refusal),
) error{OutOfMemory}!?Base {
    for (places) |place| {
        if (held(place, files)) |base| return base;
        var reason: []const u8 = "";
        if (try prepare(arena, place.path, files, .cache, &reason)) |directory| {
            return .{ .directory = directory, .path = place.path };
        }
        try refusals.append(arena, .{ .candidate = place, .reason = reason });
    }
    return null;
}

pub const Verdict = union(enum) {
    /// Everything is installed there.
    holds,
    /// Everything can be installed there.
    usable,
    refused: []const u8,
};

/// What `choose` would make of a candidate, found out without making anything.
pub fn assess(arena: Allocator, place: Candidate, files: []const manifest.File) error{OutOfMemory}!Verdict {
    if (held(place, files)) |base| {
        close(base.directory);
        return .holds;
    }
    return assessForInstalling(arena, place, files, .cache);
}

/// The same of one that holds nothing.
pub fn assessForInstalling(
    arena: Allocator,
    place: Candidate,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!Verdict {
    const directory = openNoFollow(place.path) catch |err| switch (err) {
        error.FileNotFound => return assessParent(arena, place.path, files, kind),
        else => return .{ .refused = openingProblem(err) },
    };
    defer close(directory);
    return if (try objection(arena, directory, files, kind)) |reason| .{ .refused = reason } else .usable;
}

/// Of a directory that would have to be made: the nearest one above it that is there has its file system.
fn assessParent(arena: Allocator, path: []const u8, files: []const manifest.File, kind: Kind) error{OutOfMemory}!Verdict {
    const parent = std.fs.path.dirname(path) orelse return .{ .refused = "it cannot be made" };
    const directory = std.fs.cwd().openDir(parent, .{}) catch |err| switch (err) {
        error.FileNotFound => return assessParent(arena, parent, files, kind),
        else => return .{ .refused = try cannotBeMade(arena, err) },
    };
    defer close(directory);
    if (try shortcoming(arena, directory, files, kind)) |reason| return .{ .refused = reason };
    directory.access(".", .{ .mode = .write_only }) catch |err| return .{ .refused = try cannotBeMade(arena, err) };
    return .usable;
}

fn cannotBeMade(arena: Allocator, err: anyerror) error{OutOfMemory}![]const u8 {
    return std.fmt.allocPrint(arena, "it cannot be made: {s}", .{report.words(err)});
}

fn openingProblem(err: anyerror) []const u8 {
    return switch (err) {
        error.SymLinkLoop, error.NotDir => "it is a symbolic link or not a directory",
        else => report.words(err),
    };
}

pub const Kind = enum {
    /// Of one user, and can be made again at any time.
    cache,
    /// Of everybody who may start what is installed there.
    permanent,
    /// Of one process, which has what it executes elsewhere.
    data,

    fn mode(kind: Kind) u9 {
        return switch (kind) {
            .cache, .data => 0o700,
            .permanent => 0o755,
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
    if (!isNameable(path)) {
        reason.* = "its path is not UTF-8, which Python cannot start from";
        return null;
    }
    make(path, kind) catch |err| {
        reason.* = try cannotBeMade(arena, err);
        return null;
    };
    const directory = openNoFollow(path) catch |err| {
        reason.* = openingProblem(err);
        return null;
    };
    reason.* = try objection(arena, directory, files, kind) orelse
        try makeContents(arena, directory, files, kind) orelse return directory;
    close(directory);
    return null;
}

pub fn make(path: []const u8, kind: Kind) !void {
    if (!has_users) return makeWithParents(path);
    std.posix.mkdir(path, kind.mode()) catch |err| switch (err) {
        error.PathAlreadyExists => {},
        error.FileNotFound => {
            try makeWithParents(std.fs.path.dirname(path) orelse return err);
            std.posix.mkdir(path, kind.mode()) catch |again| if (again != error.PathAlreadyExists) return again;
        },
        else => return err,
    };
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
pub fn objection(
    arena: Allocator,
    directory: std.fs.Dir,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!?[]const u8 {
    if (distrust(directory, .writing)) |reason| return reason;
    if (try shortcoming(arena, directory, files, kind)) |reason| return reason;
    directory.access(".", .{ .mode = .write_only }) catch |err| {
        return try std.fmt.allocPrint(arena, "it cannot be written to: {s}", .{report.words(err)});
    };
    return null;
}

/// Why the file system of `directory` will not do for `files`, or null.
fn shortcoming(
    arena: Allocator,
    directory: std.fs.Dir,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!?[]const u8 {
    const facts = filesystem.facts(directory) orelse return null;
    if (facts.read_only) return "it is on a read-only file system";
    if (kind == .data) return null; // how much of `files` comes to lie here is not known yet
    if (facts.no_execution) return "it is on a file system mounted noexec";
    const needed = missing(directory, files);
    if (facts.available >= needed) return null;
    return try std.fmt.allocPrint(arena, "{d} MB are needed and {d} MB are free", .{
        needed / 1_000_000 + 1, facts.available / 1_000_000,
    });
}

/// Makes what every base directory holds, or says why that is not possible.
fn makeContents(
    arena: Allocator,
    directory: std.fs.Dir,
    files: []const manifest.File,
    kind: Kind,
) error{OutOfMemory}!?[]const u8 {
    if (kind == .cache) tag(directory);
    if (try makeIn(arena, directory, locks_directory)) |reason| return reason;
    for (files) |file| if (try makeIn(arena, directory, file.kind.directory())) |reason| return reason;
    return null;
}

/// Backup programs leave out what carries this tag (https://bford.info/cachedir/).
fn tag(directory: std.fs.Dir) void {
    const file = directory.createFile("CACHEDIR.TAG", .{ .exclusive = true }) catch return;
    defer file.close();
    file.writeAll("Signature: 8a477f597d28d172789f06886806bc55\n" ++
        "# What czscie's executables unpacked. It can be deleted; the next start makes it again.\n") catch {};
}

fn makeIn(arena: Allocator, directory: std.fs.Dir, name: []const u8) error{OutOfMemory}!?[]const u8 {
    directory.makeDir(name) catch |err| if (err != error.PathAlreadyExists) {
        return try std.fmt.allocPrint(arena, "it cannot be written to: {s}", .{report.words(err)});
    };
    return null;
}

/// Bytes that installing what is not there yet takes.
fn missing(directory: std.fs.Dir, files: []const manifest.File) u64 {
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

fn candidateBelow(arena: Allocator, dir: std.fs.Dir, name: []const u8) !Candidate {
    return .{ .path = try std.fs.path.join(arena, &.{ try dir.realpathAlloc(arena, "."), name }) };
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
    const found = try candidates(arena.allocator(), env, "/lift");
    try testing.expectEqualStrings("/home/u/scies", found[0].path);
    try testing.expectEqualStrings("SCIE_BASE", found[0].setting.?);
    try testing.expectEqualStrings("/lift", found[1].path);
    try testing.expectEqualStrings("/home/u/.cache/czscie", found[2].path);
    try testing.expect(std.mem.startsWith(u8, found[3].path, "/tmp/czscie-"));
    env.remove("HOME");
    try env.put("XDG_CACHE_HOME", "/x");
    try testing.expectEqualStrings("/x/czscie", (try candidates(arena.allocator(), env, null))[1].path);
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
        try candidateBelow(arena.allocator(), tmp.dir, "open"),
        try candidateBelow(arena.allocator(), tmp.dir, "link"),
        try candidateBelow(arena.allocator(), tmp.dir, "fresh/base"),
    };
    const files = [_]manifest.File{file_for_tests};
    try testing.expectEqual(null, holding(&places, &files));
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
    const fresh = try candidateBelow(arena.allocator(), tmp.dir, "new/base");
    try testing.expectEqual(.usable, try assess(arena.allocator(), fresh, &files));
    try testing.expectError(error.FileNotFound, tmp.dir.access("new", .{}));
    try tmp.dir.makePath("base/apps/" ++ "ab" ** 32);
    const there = try candidateBelow(arena.allocator(), tmp.dir, "base");
    try testing.expectEqual(.holds, try assess(arena.allocator(), there, &files));
    try tmp.dir.symLink("base", "link", .{});
    const link = try candidateBelow(arena.allocator(), tmp.dir, "link");
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
    const places = [_]Candidate{try candidateBelow(arena.allocator(), tmp.dir, "base")};
    try testing.expectEqual(null, holding(&places, &files));
    try tmp.dir.makePath("base/apps/" ++ "ab" ** 32 ++ ".partial");
    try testing.expectEqual(null, holding(&places, &files));
    try tmp.dir.makePath("base/apps/" ++ "ab" ** 32);
    const base = holding(&places, &files).?;
    close(base.directory);
}
