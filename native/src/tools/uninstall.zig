//! `uninstall` removes what this executable installed, except what another application needs.

const std = @import("std");
const base_directory = @import("../base.zig");
const boot = @import("../boot.zig");
const file_status = @import("../file_status.zig");
const libc = @import("../libc.zig");
const manifest = @import("../manifest.zig");
const report = @import("../report.zig");
const cache = @import("cache.zig");
const Context = @import("context.zig").Context;
const permanent = @import("install.zig");
const inventory = @import("inventory.zig");
const lazy = @import("../lazy.zig");
const processes = @import("processes.zig");
const Removal = @import("removal.zig").Removal;
const Item = inventory.Item;

const executables_max = 10_000;
const runs = "a process is using it";

pub fn run(context: *const Context) anyerror!u8 {
    var uninstallation: Uninstallation = .{ .context = context };
    const base = if (context.lift.hasParts())
        try context.existingBase()
    else
        try Context.open(context.lift.base orelse return error.FileNotFound);
    if (base) |found| try uninstallation.removeFrom(found);

    const removed = uninstallation.removed.items;
    const kept = uninstallation.kept.items;
    if (context.options.json) {
        try context.json(.{ .base = if (base) |found| found.path else null, .removed = removed, .kept = kept });
    } else {
        for (removed) |path| try context.out.print("removed {s}\n", .{path});
        for (kept) |each| try context.out.print("kept {s}: {s}\n", .{ each.path, each.reason });
        if (removed.len + kept.len == 0) try context.out.writeAll("nothing is installed\n");
    }
    return if (uninstallation.in_use) report.exit_status else 0;
}

const Kept = struct { path: []const u8, reason: []const u8 };

const Uninstallation = struct {
    context: *const Context,
    removal: Removal = undefined,
    removed: std.ArrayList([]const u8) = .empty,
    kept: std.ArrayList(Kept) = .empty,
    in_use: bool = false,

    fn removeFrom(uninstallation: *Uninstallation, base: base_directory.Base) !void {
        const removal: Removal = try .begin(base.directory);
        defer removal.end();
        uninstallation.removal = removal;
        const items = try inventory.read(uninstallation.context.arena, base);
        processes.markRunning(items);
        const others = try uninstallation.removeExecutables(base, items);
        // Applications come first, so no start finds one without its interpreter.
        for ([_]manifest.Kind{ .app, .files, .interpreter, .libc }) |kind| for (items) |*item| {
            if (item.isPart(kind)) try uninstallation.removeItem(base, items, item, others);
        };
        if (!uninstallation.in_use) for (items) |*item| {
            if (item.kind == .boot) try uninstallation.removeItem(base, items, item, others);
        };
        base.directory.deleteDir(boot.directory_name) catch {}; // others have something there
        lazy.removeOwnDownloads(base.directory, uninstallation.context.lift);
        if (others != null and uninstallation.kept.items.len == 0) removeEmpty(base);
    }

    fn removeItem(
        uninstallation: *Uninstallation,
        base: base_directory.Base,
        items: []const Item,
        item: *Item,
        others: ?[]const []const u8,
    ) !void {
        const arena = uninstallation.context.arena;
        if (!cache.isOwn(uninstallation.context.lift, item.*)) return;
        const path = try std.fs.path.join(arena, &.{ base.path, item.kind.directory(), item.digest });
        const needed = isAmong(others orelse &.{}, item.digest) or inventory.isUsed(items, item.digest);
        if (item.running and !(item.isShared() and needed)) {
            uninstallation.in_use = true;
            return uninstallation.keep(path, runs);
        }
        if (needed) return uninstallation.keep(path, "another application needs it");
        switch (try uninstallation.removal.remove(item.*)) {
            .removed => {},
            .being_installed, .in_use => |outcome| {
                uninstallation.in_use = true;
                return uninstallation.keep(path, if (outcome == .in_use) runs else "another process is installing it");
            },
        }
        // Its interpreter and C library are unused now.
        item.interpreter = null;
        item.libc = null;
        try uninstallation.removed.append(arena, path);
    }

    fn keep(uninstallation: *Uninstallation, path: []const u8, reason: []const u8) !void {
        try uninstallation.kept.append(uninstallation.context.arena, .{ .path = path, .reason = reason });
    }

    /// In a permanent installation: removes this application's executables, and returns the digests that other
    /// executables name. Null in any other base directory. Removes nothing while a process runs from it.
    fn removeExecutables(
        uninstallation: *Uninstallation,
        base: base_directory.Base,
        items: []const Item,
    ) !?[]const []const u8 {
        file_status.checkExists(base.directory, permanent.mark) catch return null;
        const arena = uninstallation.context.arena;
        const lift = uninstallation.context.lift;
        for (items) |item| if (!item.isShared() and item.running and cache.isOwn(lift, item)) {
            return &.{};
        };
        var others: std.ArrayList([]const u8) = .empty;
        var directory = base.directory.openDir(permanent.executables_directory, .{ .iterate = true }) catch |err| switch (err) {
            error.FileNotFound => return others.items,
            else => return err,
        };
        defer directory.close();
        var own: std.ArrayList([]const u8) = .empty;
        var each = directory.iterate();
        for (0..executables_max) |_| {
            const entry = try each.next() orelse break;
            const found = manifestOf(arena, directory, entry.name) orelse continue;
            if (isSame(found, lift)) {
                try own.append(arena, try arena.dupe(u8, entry.name));
            } else {
                for (found.files) |file| try others.append(arena, file.installedName());
                for (found.lazy) |part| try others.append(arena, part.file().installedName());
            }
        }
        for (own.items) |name| {
            try directory.deleteFile(name);
            try uninstallation.removed.append(arena, try std.fs.path.join(arena, &.{
                base.path, permanent.executables_directory, name,
            }));
        }
        return others.items;
    }
};

fn manifestOf(arena: std.mem.Allocator, directory: std.fs.Dir, name: []const u8) ?manifest.Manifest {
    const file = directory.openFile(name, .{}) catch return null;
    defer file.close();
    const size = file_status.length(file) catch return null;
    const found = manifest.read(arena, file, size) catch return null;
    return libc.withoutHost(arena, found) catch null;
}

/// Whether both install the same parts.
fn isSame(left: manifest.Manifest, right: manifest.Manifest) bool {
    if (left.files.len != right.files.len) return false;
    for (left.files, right.files) |a, b| if (a.kind != b.kind or !std.mem.eql(u8, a.digest, b.digest)) return false;
    return true;
}

fn isAmong(digests: []const []const u8, digest: []const u8) bool {
    for (digests) |each| if (std.mem.eql(u8, each, digest)) return true;
    return false;
}

/// Removes the rest of a permanent installation that has no parts any more. Directories that are not empty stay.
fn removeEmpty(base: base_directory.Base) void {
    base.directory.deleteDir(permanent.executables_directory) catch return;
    for (std.enums.values(manifest.Kind)) |kind| base.directory.deleteDir(kind.directory()) catch continue;
    base.directory.deleteTree(base_directory.locks_directory) catch return;
    base.directory.deleteFile(permanent.mark) catch return;
    std.fs.cwd().deleteDir(base.path) catch return;
}
