//! Selects the C library: the host's, or the one that the executable bundles for hosts without one.
//!
//! The choice is made at installation, and the installed parts record it: a part that needs the bundled library has
//! another digest. A warm start looks only for the host's loader and for the installations.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const base_directory = @import("base.zig");
const Environment = @import("environment.zig").Environment;
const manifest = @import("manifest.zig");
const report = @import("report.zig");

/// `own` or `host` overrides the choice.
pub const setting = "CZSCIE_LIBC";

/// The entry of a part's zip with the plan for the bundled library.
const bundled_plan = ".czscie/plan-libc";

/// Loaders have about 200 KiB, libraries 2 MiB, library caches 100 KiB.
const length_max = 4 << 20;

/// Selects the parts of `lift` for this host. `libc` of the result is set if the bundled library is one of them.
pub fn selectLibc(
    arena: Allocator,
    lift: manifest.Manifest,
    variables: Environment,
    places: []const base_directory.Candidate,
) error{OutOfMemory}!manifest.Manifest {
    const libc = lift.libc orelse return lift;
    const own = try withBundledLibc(arena, lift, libc);
    if (libc.always) return own;
    const host = try withHostLibc(arena, lift);
    if (try parseSetting(lift, variables)) |word| return if (word == .own) own else host;
    std.fs.cwd().access(libc.loader, .{}) catch return own;
    if (isInstalled(places, host.files)) return host;
    if (isInstalled(places, own.files)) return own;
    return if (try missingRequirement(arena, lift, libc) == null) host else own;
}

/// Selects the parts without a look at a host: for a permanent installation, the installed parts.
pub fn withoutHost(arena: Allocator, lift: manifest.Manifest) error{OutOfMemory}!manifest.Manifest {
    const libc = lift.libc orelse return lift;
    return if (libc.always) withBundledLibc(arena, lift, libc) else withHostLibc(arena, lift);
}

/// Why the host's C library is not sufficient, for messages; null if it is.
pub fn missingRequirement(arena: Allocator, lift: manifest.Manifest, libc: manifest.BundledLibc) error{OutOfMemory}!?[]const u8 {
    std.fs.cwd().access(libc.loader, .{}) catch |err|
        return try std.fmt.allocPrint(arena, "{s}: {s}", .{ libc.loader, report.describe(err) });
    if (lift.needs.glibc) |needed| {
        const found = try glibcVersion(arena, libc.loader) orelse
            return try std.fmt.allocPrint(arena, "{s} is not glibc's loader", .{libc.loader});
        if (isOlder(found, needed)) {
            return try std.fmt.allocPrint(arena, "glibc {s} is older than {s}", .{ found, needed });
        }
    }
    for (libc.libraries) |name| if (!try hasLibrary(arena, name)) {
        return try std.fmt.allocPrint(arena, "{s} is missing", .{name});
    };
    return null;
}

const Choice = enum { own, host };

fn parseSetting(lift: manifest.Manifest, variables: Environment) error{OutOfMemory}!?Choice {
    const word = variables.get(setting) orelse return null;
    if (word.len == 0) return null;
    return std.meta.stringToEnum(Choice, word) orelse
        report.fatal(lift.name, "{s} has the unknown value '{s}'\nhint: set it to own or host, or unset it", .{ setting, word });
}

fn isInstalled(places: []const base_directory.Candidate, files: []const manifest.File) bool {
    const base = base_directory.findInstalled(places, files) orelse return false;
    base_directory.close(base.directory);
    return true;
}

fn withHostLibc(arena: Allocator, lift: manifest.Manifest) error{OutOfMemory}!manifest.Manifest {
    var files: std.ArrayList(manifest.File) = try .initCapacity(arena, lift.files.len);
    for (lift.files) |file| if (file.kind != .libc) files.appendAssumeCapacity(file);
    var selected = lift;
    selected.files = files.items;
    selected.libc = null;
    return selected;
}

fn withBundledLibc(arena: Allocator, lift: manifest.Manifest, libc: manifest.BundledLibc) error{OutOfMemory}!manifest.Manifest {
    const files = try arena.dupe(manifest.File, lift.files);
    for (files) |*file| if (libc.plans.map.get(file.name)) |digest| {
        file.digest = digest;
        file.plan = bundled_plan;
    };
    var selected = lift;
    selected.files = files;
    return selected;
}

/// The version of the glibc with the loader `loader`. The loader contains the line that `--version` prints; before
/// 2.33, only the library does. Null for the loader of another C library.
pub fn glibcVersion(arena: Allocator, loader: []const u8) error{OutOfMemory}!?[]const u8 {
    if (std.mem.startsWith(u8, std.fs.path.basename(loader), "ld-musl")) return null;
    if (try versionOf(arena, loader)) |version| return version;
    for (directories) |directory| {
        const path = try std.fs.path.join(arena, &.{ directory, "libc.so.6" });
        if (try versionOf(arena, path)) |version| return version;
    }
    return null;
}

fn versionOf(arena: Allocator, path: []const u8) error{OutOfMemory}!?[]const u8 {
    const bytes = std.fs.cwd().readFileAlloc(arena, path, length_max) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        else => return null,
    };
    return versionIn(bytes);
}

fn versionIn(bytes: []const u8) ?[]const u8 {
    const before = "release version ";
    const start = (std.mem.indexOf(u8, bytes, before) orelse return null) + before.len;
    var end = start;
    while (end < bytes.len and (std.ascii.isDigit(bytes[end]) or bytes[end] == '.')) end += 1;
    const version = std.mem.trimRight(u8, bytes[start..end], ".");
    return if (version.len == 0) null else version;
}

/// Whether the version `found` is older than `needed`. Missing numbers count as 0.
fn isOlder(found: []const u8, needed: []const u8) bool {
    var left = std.mem.splitScalar(u8, found, '.');
    var right = std.mem.splitScalar(u8, needed, '.');
    for (0..4) |_| {
        const one = std.fmt.parseInt(u32, left.next() orelse "0", 10) catch 0;
        const other = std.fmt.parseInt(u32, right.next() orelse "0", 10) catch 0;
        if (one != other) return one < other;
    }
    return false;
}

/// Debian's name for the directory of this machine's libraries.
const multiarch = switch (builtin.cpu.arch) {
    .arm => "arm-linux-gnueabihf",
    else => |arch| @tagName(arch) ++ "-linux-gnu",
};

/// The directories that loaders search by default (Debian's, Fedora's and others).
const directories = [_][]const u8{
    "/lib/" ++ multiarch, "/usr/lib/" ++ multiarch, "/lib64",         "/usr/lib64",
    "/lib",               "/usr/lib",               "/usr/local/lib",
};

/// Whether the host's loader probably finds the library `name`. The loader is not run.
fn hasLibrary(arena: Allocator, name: []const u8) error{OutOfMemory}!bool {
    for (directories) |directory| {
        const path = try std.fs.path.join(arena, &.{ directory, name });
        if (std.fs.cwd().access(path, .{})) |_| return true else |_| {}
    }
    const cache = std.fs.cwd().readFileAlloc(arena, "/etc/ld.so.cache", length_max) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        else => return false,
    };
    return std.mem.indexOf(u8, cache, name) != null;
}

const digest_for_tests = "0123456789abcdef" ** 4;
const own_digest_for_tests = "fedcba9876543210" ** 4;

fn fileForTests(name: []const u8, kind: manifest.Kind) manifest.File {
    return .{ .name = name, .kind = kind, .digest = digest_for_tests, .offset = 0, .size = 1, .unpacked = 1 };
}

fn liftForTests(arena: Allocator, loader: []const u8) !manifest.Manifest {
    var plans: std.json.ArrayHashMap([]const u8) = .{};
    try plans.map.put(arena, "cpython", own_digest_for_tests);
    const files = try arena.dupe(manifest.File, &.{
        fileForTests("cpython", .interpreter), fileForTests(".libc", .libc), fileForTests("payload", .app),
    });
    return .{ .name = "tool", .libc = .{ .loader = loader, .plans = plans }, .files = files, .boot = .{ .commands = .{} } };
}

fn environmentForTests(arena: Allocator, word: ?[]const u8) !Environment {
    var made = try @import("environment.zig").inherit(arena);
    made.remove(setting);
    if (word) |text| try made.put(setting, text);
    return made;
}

fn expectOwn(selected: manifest.Manifest) !void {
    try testing.expectEqual(3, selected.files.len);
    try testing.expect(selected.libc != null);
    try testing.expectEqualStrings(own_digest_for_tests, selected.find("cpython").?.digest);
    try testing.expectEqualStrings(bundled_plan, selected.find("cpython").?.plan);
    try testing.expectEqualStrings(manifest.plan_entry, selected.find("payload").?.plan);
}

fn expectHosts(selected: manifest.Manifest) !void {
    try testing.expectEqual(2, selected.files.len);
    try testing.expectEqual(null, selected.libc);
    try testing.expectEqualStrings(digest_for_tests, selected.find("cpython").?.digest);
    try testing.expectEqual(null, selected.find(".libc"));
}

test "a host without a loader gets the bundled library, and one with a loader keeps its own" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const none = try environmentForTests(arena.allocator(), null);
    try expectOwn(try selectLibc(arena.allocator(), try liftForTests(arena.allocator(), "/nowhere/ld.so"), none, &.{}));
    try expectHosts(try selectLibc(arena.allocator(), try liftForTests(arena.allocator(), "/proc/self/exe"), none, &.{}));
    var old = try liftForTests(arena.allocator(), "/proc/self/exe");
    old.needs.glibc = "9.99";
    try expectOwn(try selectLibc(arena.allocator(), old, none, &.{}));
    var lacking = try liftForTests(arena.allocator(), "/proc/self/exe");
    lacking.libc.?.libraries = &.{"libnobody-has.so.9"};
    try expectOwn(try selectLibc(arena.allocator(), lacking, none, &.{}));
}

test "a setting selects the library" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var lift = try liftForTests(arena.allocator(), "/nowhere/ld.so");
    const host = try environmentForTests(arena.allocator(), "host");
    try expectHosts(try selectLibc(arena.allocator(), lift, host, &.{}));
    lift.libc.?.always = true;
    try expectOwn(try selectLibc(arena.allocator(), lift, host, &.{}));
    try expectOwn(try withoutHost(arena.allocator(), lift));
    const own = try environmentForTests(arena.allocator(), "own");
    try expectOwn(try selectLibc(arena.allocator(), try liftForTests(arena.allocator(), "/proc/self/exe"), own, &.{}));
}

test "an executable without a bundled C library is unchanged" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const plain: manifest.Manifest = .{ .name = "tool", .files = &.{}, .boot = .{ .commands = .{} } };
    const none = try environmentForTests(arena.allocator(), null);
    try testing.expectEqual(null, (try selectLibc(arena.allocator(), plain, none, &.{})).libc);
}

test "the loader contains the version of its glibc" {
    try testing.expectEqualStrings("2.36", versionIn("\x00ld.so (Debian GLIBC 2.36-9) stable release version 2.36.\nC").?);
    for ([_][]const u8{ "", "release version", "release version .", "release version x" }) |bytes| {
        try testing.expectEqual(null, versionIn(bytes));
    }
}

test "a musl loader has no glibc version" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    try testing.expectEqual(null, try glibcVersion(arena.allocator(), "/lib/ld-musl-x86_64.so.1"));
}

test "versions compare as numbers" {
    try testing.expect(isOlder("2.9", "2.17"));
    try testing.expect(isOlder("2.35", "2.35.1"));
    try testing.expect(!isOlder("2.36", "2.36"));
    try testing.expect(!isOlder("3.0", "2.36"));
}
