//! Parts that are not in the executable. The fetcher installs one before the first command that names it: it downloads
//! the part, or has a binding print it.
//!
//!     <kind>s/<digest>       the installation
//!     downloads/<digest>     what has been downloaded of it, until it is complete

const std = @import("std");
const builtin = @import("builtin");
const Allocator = std.mem.Allocator;
const base_directory = @import("base.zig");
const boots = @import("boot.zig");
const Boot = boots.Boot;
const command = @import("command.zig");
const environments = @import("environment.zig");
const Environment = environments.Environment;
const file_changes = @import("file_changes.zig");
const install = @import("install.zig");
const last_use = @import("last_use.zig");
const Lock = @import("lock.zig").Lock;
const manifest = @import("manifest.zig");
const messages = @import("messages.zig");
const placeholders = @import("placeholders.zig");
const process = @import("process.zig");

pub const downloads_directory = "downloads";

/// The part with the fetcher, and its path there.
const fetcher_part = ".fetch";
const fetcher_path = if (builtin.os.tag == .windows) "czscie-fetch.exe" else "czscie-fetch";

/// The base directory with the installation of `part`, which is made if it does not exist.
pub fn provide(boot: *Boot, part: manifest.LazyPart) placeholders.Error![]const u8 {
    const file = part.file();
    if (base_directory.lastUse(boot.base.directory, file)) |used| {
        const age = last_use.ageOf(used);
        if (age != .recent and boot.base.scope != .host_read_only) _ = base_directory.touch(boot.base.directory, file);
        if (used != base_directory.removal_mark) return boot.base.path;
    }
    const is_closed = boot.base.scope == .host_read_only or !boot.context.lift.hasParts();
    if (!is_closed) {
        try installIn(boot, boot.base, part);
        return boot.base.path;
    }
    if (base_directory.findInstalled(boot.places, &.{file})) |found| return found.path;
    for (boot.places) |place| {
        if (place.scope == .host_read_only or std.mem.eql(u8, place.path, boot.base.path)) continue;
        var reason: []const u8 = "";
        const directory = try base_directory.prepare(boot.arena, place.path, &.{}, .cache, &reason) orelse continue;
        try installIn(boot, .{ .directory = directory, .path = place.path, .scope = place.scope }, part);
        return place.path;
    }
    messages.partNotWritable(boot.context.lift.name, part.name, boot.base.path);
}

/// Installs a part that another one needs in its own base directory, as a virtual environment needs its interpreter.
pub fn provideBeside(boot: *Boot, part: manifest.LazyPart) placeholders.Error!void {
    const path = try provide(boot, part);
    if (!std.mem.eql(u8, path, boot.base.path)) messages.partNotWritable(boot.context.lift.name, part.name, boot.base.path);
}

/// Installs every part that is missing in the base directory.
pub fn provideAll(boot: *Boot) placeholders.Error!void {
    for (boot.context.lift.lazy) |part| {
        if (!base_directory.isInstalled(boot.base.directory, part.file())) try installIn(boot, boot.base, part);
    }
}

/// Installs `part` in `base`, unless another process does it first.
fn installIn(boot: *Boot, base: base_directory.Base, part: manifest.LazyPart) placeholders.Error!void {
    const lift = boot.context.lift;
    // Before the lock: a binding may need other parts.
    const source = try sourceOf(boot, part);
    process.occupyStandardHandles();
    var installation: install.Installation = .{
        .arena = boot.arena,
        .application = lift.name,
        .executable = boot.executable.file,
        .file = part.file(),
        .base = base,
    };
    const mask = if (base.scope == .host) process.setPublicUmask() else null;
    defer process.restoreUmask(mask);
    const lock = Lock.acquire(base.directory, installation.file, lift.name) catch |err| messages.partNotInstalled(lift.name, part.name, base.path, err);
    defer lock.release();
    if (base_directory.isInstalled(base.directory, installation.file)) return;
    install.removeStale(base.directory, installation.file);
    lock.recordApplication(lift.name);
    installation.suffix = install.partialSuffix(lock.method);
    fetch(boot, &installation, part, source) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        else => messages.partNotInstalled(lift.name, part.name, base.path, err),
    };
}

/// A URL, or a program that prints the part.
const Source = struct {
    url: []const u8 = "",
    /// A file with URLs that replace it.
    urls: []const u8 = "",
    program: []const [:0]const u8 = &.{},
    environment: Environment,
};

fn sourceOf(boot: *Boot, part: manifest.LazyPart) placeholders.Error!Source {
    const lift = boot.context.lift;
    const arena = boot.arena;
    var environment = environments.clone(arena, boot.context.environment.*) catch return error.OutOfMemory;
    if (part.source) |name| {
        const binding = try boot.prepareBinding(name);
        binding.apply(arena, &environment, &boot.context) catch |err| messages.placeholderUnknown(lift.name, err);
        try boot.finish(boot, &environment);
        const named = [_][:0]const u8{try arena.dupeZ(u8, part.fetched)};
        const located = try boots.located(arena, binding.arguments, environment);
        const program = try std.mem.concat(arena, [:0]const u8, &.{ located, &named });
        return .{ .program = program, .environment = environment };
    }
    const urls = if (lift.boot.urls) |template| try command.expandAlone(arena, template, &boot.context) else "";
    return .{ .url = lift.ptex.map.get(part.fetched) orelse "", .urls = urls, .environment = environment };
}

/// Has the fetcher fill a directory, and gives that its final name.
fn fetch(boot: *Boot, installation: *install.Installation, part: manifest.LazyPart, source: Source) !void {
    const arena = boot.arena;
    const base = installation.base;
    const file = installation.file;
    const fetcher = boot.context.lift.find(fetcher_part) orelse return error.FileNotFound;
    var fetcher_name: base_directory.Name = undefined;
    var partial_name: base_directory.Name = undefined;
    const partial = base_directory.installationName(&partial_name, file, installation.suffix);
    try base.directory.deleteTree(partial);
    try base.directory.makePath(partial);
    errdefer installation.removePartial();
    try base.directory.makePath(downloads_directory);
    const download = try std.fs.path.join(arena, &.{ downloads_directory, file.installedName() });
    const program = try std.fs.path.joinZ(arena, &.{
        boot.base.path, base_directory.installationName(&fetcher_name, fetcher, ""), fetcher_path,
    });
    // In the order of fetch/part.zig.
    const request = [_][]const u8{
        installation.application,
        part.fetched,
        part.type,
        if (part.executable) "1" else "0",
        if (part.size) |size| try std.fmt.allocPrint(arena, "{d}", .{size}) else "",
        part.hash orelse "",
        try std.fs.path.join(arena, &.{ base.path, download }),
        try std.fs.path.join(arena, &.{ base.path, partial }),
        part.path,
        source.url,
        source.urls,
    };
    var arguments: std.ArrayList([:0]const u8) = .empty;
    try arguments.appendSlice(arena, &.{ program, "--part" });
    for (request) |text| try arguments.append(arena, try arena.dupeZ(u8, text));
    try arguments.appendSlice(arena, source.program);
    var environment = source.environment;
    const ending = process.run(arena, arguments.items, &environment) catch |err| messages.fetcherNotStarted(boot.context.lift.name, program, err);
    if (!ending.isSuccess()) {
        installation.removePartial();
        messages.partNotFetched(boot.context.lift.name, part.name, ending);
    }
    try installation.publish();
    base.directory.deleteFile(download) catch {}; // the space is all that is lost
}

/// Removes interrupted downloads that are older than `days`. A download that goes on keeps its file open, and loses
/// only the name.
pub fn removeDownloads(base: std.fs.Dir, days: u64) void {
    var directory = base.openDir(downloads_directory, .{ .no_follow = true, .iterate = true }) catch return;
    defer directory.close();
    const oldest = std.time.nanoTimestamp() - @as(i128, days) * std.time.ns_per_day;
    var each = directory.iterate();
    while (each.next() catch return) |entry| {
        const status = directory.statFile(entry.name) catch continue;
        if (status.mtime < oldest) directory.deleteFile(entry.name) catch continue;
    }
}

/// Removes what was downloaded of the parts of `lift`.
pub fn removeOwnDownloads(base: std.fs.Dir, lift: manifest.Manifest) void {
    for (lift.lazy) |part| {
        var buffer: base_directory.Name = undefined;
        const path = std.fmt.bufPrint(&buffer, downloads_directory ++ "/{s}", .{part.file().installedName()}) catch continue;
        base.deleteFile(path) catch continue;
    }
    base.deleteDir(downloads_directory) catch {}; // others have something there
}

test "downloads are removed when they are old, or belong to what is uninstalled" {
    if (builtin.os.tag == .windows) return error.SkipZigTest; // fails under wine; docs/reference/scie.md says so
    var tmp = std.testing.tmpDir(.{});
    defer tmp.cleanup();
    const digest = "0123456789abcdef" ** 4;
    const name = digest[0..manifest.installed_name_length];
    try tmp.dir.makeDir(downloads_directory);
    try tmp.dir.writeFile(.{ .sub_path = downloads_directory ++ "/other", .data = "" });
    try tmp.dir.writeFile(.{ .sub_path = downloads_directory ++ "/" ++ name, .data = "" });
    removeDownloads(tmp.dir, 1);
    try tmp.dir.access(downloads_directory ++ "/other", .{});
    const part: manifest.LazyPart = .{ .name = "data", .kind = .files, .digest = digest, .fetched = "data", .type = "blob" };
    removeOwnDownloads(tmp.dir, .{ .name = "tool", .files = &.{}, .lazy = &.{part}, .boot = .{ .commands = .{} } });
    try std.testing.expectError(error.FileNotFound, tmp.dir.access(downloads_directory ++ "/" ++ name, .{}));
    try tmp.dir.access(downloads_directory ++ "/other", .{});
    std.Thread.sleep(std.time.ns_per_ms);
    removeDownloads(tmp.dir, 0);
    removeOwnDownloads(tmp.dir, .{ .name = "tool", .files = &.{}, .boot = .{ .commands = .{} } });
    try std.testing.expectError(error.FileNotFound, tmp.dir.access(downloads_directory, .{}));
}
