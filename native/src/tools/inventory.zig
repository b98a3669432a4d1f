//! The contents of a base directory: complete and unfinished installations, which one uses which, and what bindings
//! keep.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const base_directory = @import("../base.zig");
const boot = @import("../boot.zig");
const file_status = @import("../file_status.zig");
const install = @import("../install.zig");
const last_use = @import("../last_use.zig");
const manifest = @import("../manifest.zig");

const name_length = manifest.installed_name_length;

/// A bound, far above the contents of any base directory.
const items_max = 10_000;

pub const Kind = union(enum) {
    /// An installed part.
    part: manifest.Kind,
    /// What the bindings of an application keep.
    boot,

    const all = [_]Kind{ .{ .part = .interpreter }, .{ .part = .app }, .{ .part = .files }, .{ .part = .libc }, .boot };

    pub fn name(kind: Kind) []const u8 {
        return switch (kind) {
            .part => |part| @tagName(part),
            .boot => "boot",
        };
    }

    /// The subdirectory of the base directory.
    pub fn directory(kind: Kind) []const u8 {
        return switch (kind) {
            .part => |part| part.directory(),
            .boot => boot.directory_name,
        };
    }
};

pub const Item = struct {
    kind: Kind,
    /// The digits of the digest that are in its name.
    digest: []const u8,
    /// Whether a dead process left it, or a process is making it.
    unfinished: bool,
    /// The application that installed it.
    application: ?[]const u8,
    /// The size on a file system with blocks of 4 KiB.
    bytes: u64,
    last_use: last_use.Time,
    /// For an application: the digest of its interpreter.
    interpreter: ?[]const u8 = null,
    /// For an interpreter: the digest of the bundled C library that it starts with, if any.
    libc: ?[]const u8 = null,
    /// Whether a process runs from it, as far as the system reports that.
    running: bool = false,

    /// Its directory below the base directory.
    pub fn path(item: Item, buffer: *base_directory.Name, suffix: []const u8) []const u8 {
        return std.fmt.bufPrint(buffer, "{s}/{s}{s}", .{ item.kind.directory(), item.digest, suffix }) catch
            unreachable; // a kind, 64 digits and our own suffixes
    }

    pub fn isPart(item: Item, kind: manifest.Kind) bool {
        return std.meta.eql(item.kind, .{ .part = kind });
    }

    /// Whether other installations may depend on it.
    pub fn isShared(item: Item) bool {
        return item.isPart(.interpreter) or item.isPart(.libc);
    }

    /// The days since the last use.
    pub fn days(item: Item) u64 {
        const age = @max(0, std.time.nanoTimestamp() - item.last_use);
        return @intCast(@divFloor(age, std.time.ns_per_day));
    }
};

/// Reads the base directory. The items are sorted by last use, oldest first.
pub fn read(arena: Allocator, base: base_directory.Base) ![]Item {
    var items: std.ArrayList(Item) = .empty;
    for (Kind.all) |kind| {
        var directory = base.directory.openDir(kind.directory(), .{ .iterate = true }) catch |err| switch (err) {
            error.FileNotFound, error.NotDir => continue,
            else => return err,
        };
        defer directory.close();
        var each = directory.iterate();
        while (try each.next()) |entry| {
            if (items.items.len == items_max) return error.SystemResources;
            const unfinished = std.mem.endsWith(u8, entry.name, install.partial_suffix);
            const digest = if (unfinished) entry.name[0 .. entry.name.len - install.partial_suffix.len] else entry.name;
            if (!manifest.isInstalledName(digest)) continue;
            const item = readItem(arena, base, directory, kind, entry.name, digest, unfinished) catch |err| switch (err) {
                error.FileNotFound => continue, // another process has just removed it
                error.NotDir => continue, // the next start that needs it replaces the file
                else => return err,
            };
            try items.append(arena, item);
        }
    }
    std.sort.insertion(Item, items.items, {}, usedBefore);
    return items.items;
}

fn usedBefore(_: void, left: Item, right: Item) bool {
    return left.last_use < right.last_use;
}

fn readItem(
    arena: Allocator,
    base: base_directory.Base,
    directory: std.fs.Dir,
    kind: Kind,
    name: []const u8,
    digest: []const u8,
    unfinished: bool,
) !Item {
    var below = try directory.openDir(name, .{ .iterate = true });
    defer below.close();
    var item: Item = .{
        .kind = kind,
        .digest = try arena.dupe(u8, digest),
        .unfinished = unfinished,
        .application = try install.installedBy(arena, base.directory, digest),
        .bytes = try diskUsage(below),
        .last_use = @max(
            (try file_status.of(.{ .handle = below.fd })).mtime,
            if (base.scope == .host) lastRead(below) else 0,
        ),
    };
    if (item.isPart(.app)) item.interpreter = try interpreterOf(arena, below);
    if (item.isPart(.interpreter)) item.libc = try libcOf(arena, below);
    return item;
}

fn diskUsage(directory: std.fs.Dir) !u64 {
    var memory: std.heap.ArenaAllocator = .init(std.heap.page_allocator);
    defer memory.deinit();
    const block = 4096;
    var sum: u64 = block;
    var walker = try directory.walk(memory.allocator());
    defer walker.deinit();
    while (try walker.next()) |entry| {
        if (entry.kind == .directory) sum += block;
        if (entry.kind != .file) continue;
        // A concurrent cleaner may have removed it.
        const status = file_status.at(entry.dir, entry.basename) catch continue;
        sum += std.mem.alignForward(u64, status.size, block);
    }
    return sum;
}

const configuration = "pyvenv.cfg";

/// The last start of an application by a user who cannot record it. Each start reads its pyvenv.cfg, whose access time
/// the file system may keep.
fn lastRead(application: std.fs.Dir) last_use.Time {
    const status = file_status.at(application, configuration) catch return 0;
    return @min(status.atime, std.time.nanoTimestamp());
}

/// An application is a virtual environment, whose pyvenv.cfg names the interpreter.
fn interpreterOf(arena: Allocator, application: std.fs.Dir) !?[]const u8 {
    var buffer: [16 << 10]u8 = undefined;
    const file = openWithoutAtime(application, configuration) catch return null;
    defer file.close();
    const text = buffer[0 .. file.preadAll(&buffer, 0) catch return null];
    return if (interpreterIn(text)) |digest| try arena.dupe(u8, digest) else null;
}

/// Opens a file without changing its access time, if the system allows that.
fn openWithoutAtime(directory: std.fs.Dir, name: []const u8) !std.fs.File {
    if (builtin.os.tag == .linux) {
        const flags: std.posix.O = .{ .CLOEXEC = true, .NOATIME = true };
        if (std.posix.openat(directory.fd, name, flags, 0)) |descriptor| return .{ .handle = descriptor } else |_| {}
    }
    return directory.openFile(name, .{});
}

fn interpreterIn(text: []const u8) ?[]const u8 {
    const before = comptime manifest.Kind.interpreter.directory();
    var from: usize = 0;
    while (std.mem.indexOfPos(u8, text, from, before)) |found| : (from = found + 1) {
        const start = found + before.len + 1;
        if (start + name_length > text.len) return null;
        const digest = text[start..][0..name_length];
        if (manifest.isInstalledName(digest)) return digest;
    }
    return null;
}

/// An interpreter with a bundled C library contains a link to it.
fn libcOf(arena: Allocator, interpreter: std.fs.Dir) !?[]const u8 {
    if (builtin.os.tag == .windows) return null;
    var buffer: [std.fs.max_path_bytes]u8 = undefined;
    const target = interpreter.readLink("libc", &buffer) catch return null;
    const digest = std.fs.path.basename(target);
    return if (manifest.isInstalledName(digest)) try arena.dupe(u8, digest) else null;
}

/// Whether a complete item of `items` uses the interpreter or C library `digest`.
pub fn isUsed(items: []const Item, digest: []const u8) bool {
    for (items) |item| if (!item.unfinished) {
        for ([_]?[]const u8{ item.interpreter, item.libc }) |used| {
            if (used != null and std.mem.eql(u8, used.?, digest)) return true;
        }
    };
    return false;
}

const digest_for_tests = ("0123456789abcdef" ** 4)[0..name_length];

test "a pyvenv.cfg names its interpreter" {
    try testing.expectEqualStrings(
        digest_for_tests,
        interpreterIn("home = /interpreters/b/interpreters/" ++ digest_for_tests ++ "/bin\nversion = 3\n").?,
    );
    try testing.expectEqualStrings(digest_for_tests, interpreterIn("home = C:\\b\\interpreters\\" ++ digest_for_tests).?);
    for ([_][]const u8{ "", "home = /usr/bin", "interpreters/abc", "interpreters/" ++ "X" ** 64 }) |text| {
        try testing.expectEqual(null, interpreterIn(text));
    }
}

test "foreign entries in a base directory are ignored" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const app = ("cd" ** 32)[0..name_length];
    try tmp.dir.makePath("interpreters/" ++ digest_for_tests ++ "/bin");
    try tmp.dir.makePath("apps/" ++ app);
    try tmp.dir.makePath("apps/" ++ ("ef" ** 32)[0..name_length] ++ ".partial");
    try tmp.dir.makePath("apps/something else");
    try tmp.dir.makePath("boot/" ++ app ++ "/bindings");
    try tmp.dir.makePath("boot/something else");
    try tmp.dir.makePath("unknown");
    try tmp.dir.writeFile(.{ .sub_path = "apps/" ++ app ++ "/pyvenv.cfg", .data = "home = /interpreters/" ++ digest_for_tests });
    const items = try read(arena.allocator(), .{ .directory = tmp.dir, .path = "" });
    try testing.expectEqual(4, items.len);
    try testing.expect(isUsed(items, digest_for_tests));
    try testing.expect(!isUsed(items, app));
    for (items) |item| if (!item.unfinished) try testing.expectEqual(8192, item.bytes);
}
