//! `cache` lists the base directory. `cache prune` removes what has not been used for a long time.

const std = @import("std");
const base_directory = @import("../base.zig");
const boot = @import("../boot.zig");
const file_status = @import("../file_status.zig");
const lazy = @import("../lazy.zig");
const manifest = @import("../manifest.zig");
const report = @import("../report.zig");
const Context = @import("context.zig").Context;
const inventory = @import("inventory.zig");
const processes = @import("processes.zig");
const Removal = @import("removal.zig").Removal;
const Item = inventory.Item;
const Size = @import("context.zig").Size;
const permanent_mark = @import("install.zig").mark;

/// The default of `--older-than`.
const days_default = 30;

pub fn run(context: *const Context) anyerror!u8 {
    const operands = context.options.operands;
    const prunes = operands.len == 1;
    if (prunes and !std.mem.eql(u8, operands[0], "prune")) return error.Usage;
    const limits = context.options.older_than_days != null or context.options.max_size_megabytes != null;
    if (limits and !prunes) return error.Usage;

    const base = try context.existingBase() orelse {
        if (context.options.json) try context.json(.{ .base = null }) else try context.out.writeAll("nothing is installed\n");
        return 0;
    };
    const items = try inventory.read(context.arena, base);
    processes.markRunning(items);
    return if (prunes) prune(context, base, items) else list(context, base, items);
}

/// The JSON of an item.
const Entry = struct {
    kind: []const u8,
    digest: []const u8,
    application: ?[]const u8,
    bytes: u64,
    /// Seconds since 1970.
    last_use: i64,
    unfinished: bool,
    running: bool,
    /// Whether it belongs to this executable.
    own: bool,
    interpreter: ?[]const u8,

    fn of(context: *const Context, item: Item) Entry {
        return .{
            .kind = item.kind.name(),
            .digest = item.digest,
            .application = item.application,
            .bytes = item.bytes,
            .last_use = @intCast(@divFloor(item.last_use, std.time.ns_per_s)),
            .unfinished = item.unfinished,
            .running = item.running,
            .own = isOwn(context.lift, item),
            .interpreter = item.interpreter,
        };
    }
};

fn entriesOf(context: *const Context, items: []const Item) ![]const Entry {
    const entries = try context.arena.alloc(Entry, items.len);
    for (items, entries) |item, *slot| slot.* = .of(context, item);
    return entries;
}

/// Whether `item` is an installation of this executable, or what its bindings keep.
pub fn isOwn(lift: manifest.Manifest, item: Item) bool {
    if (item.kind == .boot) return std.mem.eql(u8, &boot.idOf(lift), item.digest);
    for (lift.files) |file| if (item.isPart(file.kind) and std.mem.eql(u8, file.installedName(), item.digest)) return true;
    for (lift.lazy) |part| if (item.isPart(part.kind) and std.mem.eql(u8, part.file().installedName(), item.digest)) return true;
    return false;
}

fn list(context: *const Context, base: base_directory.Base, items: []const Item) !u8 {
    if (context.options.json) {
        try context.json(.{ .base = base.path, .bytes = total(items), .items = try entriesOf(context, items) });
        return 0;
    }
    try context.out.print("{s}: {f}\n", .{ base.path, Size{ .bytes = total(items) } });
    for (items) |item| try writeItem(context, item);
    try context.out.writeAll("* belongs to this executable\n");
    return 0;
}

fn writeItem(context: *const Context, item: Item) !void {
    const out = context.out;
    try out.print("{s} {s} {s} ({s}): {f}, used {d} days ago", .{
        if (isOwn(context.lift, item)) "*" else " ",
        item.kind.name(),
        item.digest[0..12],
        item.application orelse "unknown",
        Size{ .bytes = item.bytes },
        item.days(),
    });
    if (item.unfinished) try out.writeAll(", unfinished");
    if (item.running) try out.writeAll(", running");
    if (item.interpreter) |digest| try out.print(", needs {s}", .{digest[0..12]});
    try out.writeByte('\n');
}

fn total(items: []const Item) u64 {
    var sum: u64 = 0;
    for (items) |item| sum += item.bytes;
    return sum;
}

fn prune(context: *const Context, base: base_directory.Base, items: []Item) !u8 {
    if (file_status.checkExists(base.directory, permanent_mark)) |_| report.fatal(
        context.lift.name,
        "{s} is a permanent installation\nhint: remove this application from it with {s}=uninstall",
        .{ base.path, context.lift.tools },
    ) else |_| {}
    const options = context.options;
    const days: ?u64 = options.older_than_days orelse if (options.max_size_megabytes == null) days_default else null;
    const bytes_max: u64 = if (options.max_size_megabytes) |megabytes| megabytes *| 1_000_000 else std.math.maxInt(u64);
    const removal: Removal = try .begin(base.directory);
    defer removal.end();
    var pruning: Pruning = .{ .removal = removal, .items = .fromOwnedSlice(items) };
    while (pruning.next(days, bytes_max)) |index| try pruning.remove(context.arena, index);
    if (days) |limit| lazy.removeDownloads(base.directory, limit);

    const removed = pruning.removed.items;
    if (options.json) {
        try context.json(.{
            .base = base.path,
            .removed = try entriesOf(context, removed),
            .bytes = total(pruning.items.items),
        });
    } else {
        for (removed) |item| try writeItem(context, item);
        try context.out.print("{s}: {f} removed, {f} left\n", .{
            base.path,
            Size{ .bytes = total(removed) },
            Size{ .bytes = total(pruning.items.items) },
        });
    }
    return 0;
}

const Pruning = struct {
    removal: Removal,
    /// Oldest first.
    items: std.ArrayList(Item),
    removed: std.ArrayList(Item) = .empty,

    /// Selects the next item to remove: leftovers of dead processes, then old items, then as many as needed to fit the
    /// size. Never an interpreter that an application needs, or a C library that an interpreter needs.
    fn next(pruning: Pruning, days: ?u64, bytes_max: u64) ?usize {
        const items = pruning.items.items;
        const too_much = total(items) > bytes_max;
        var oldest: ?usize = null;
        for (items, 0..) |item, index| {
            if (item.running) continue;
            if (item.unfinished) return index;
            if (item.isShared() and pruning.isNeeded(item)) continue;
            if (days) |limit| if (item.days() >= limit) return index;
            if (too_much and (oldest == null or item.isShared())) oldest = index;
            // An interpreter without applications is removed before any application.
            if (too_much and item.isShared()) break;
        }
        return oldest;
    }

    /// Whether an application uses the interpreter or C library, or may be about to.
    fn isNeeded(pruning: Pruning, shared: Item) bool {
        const items = pruning.items.items;
        if (shared.last_use > std.time.nanoTimestamp() - std.time.ns_per_hour) return true;
        for (items) |item| if (item.unfinished and item.running) return true;
        return inventory.isUsed(items, shared.digest);
    }

    fn remove(pruning: *Pruning, arena: std.mem.Allocator, index: usize) !void {
        const item = pruning.items.items[index];
        const outcome = pruning.removal.remove(item) catch |err| switch (err) {
            // Windows does not remove files that a process has open.
            error.AccessDenied, error.FileBusy => .in_use,
            else => return err,
        };
        if (outcome == .removed) {
            try pruning.removed.append(arena, pruning.items.orderedRemove(index));
        } else {
            pruning.items.items[index].running = true;
        }
    }
};
