//! The environment: inherited, changed for the started program, and otherwise kept byte for byte.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;

/// `get`, `put` and `remove` by name. On Windows names are case-insensitive and everything is WTF-8.
pub const Environment = if (builtin.os.tag == .windows) std.process.EnvMap else Posix;

/// The environment of this process.
pub fn inherit(arena: Allocator) !Environment {
    if (builtin.os.tag == .windows) return std.process.getEnvMap(arena);
    return Posix.init(arena, std.os.environ);
}

/// One without variables.
pub fn empty(arena: Allocator) error{OutOfMemory}!Environment {
    if (builtin.os.tag == .windows) return .init(arena);
    return Posix.init(arena, &.{});
}

/// A copy, to be changed without changing `environment`.
pub fn clone(arena: Allocator, environment: Environment) !Environment {
    if (builtin.os.tag != .windows) return Posix.init(arena, environment.entries.items);
    var copied: Environment = .init(arena);
    var each = environment.iterator();
    while (each.next()) |variable| try copied.put(variable.key_ptr.*, variable.value_ptr.*);
    return copied;
}

/// The names of all variables, each once for each time it is set.
pub fn names(arena: Allocator, environment: Environment) error{OutOfMemory}![]const []const u8 {
    var found: std.ArrayList([]const u8) = .empty;
    if (builtin.os.tag == .windows) {
        var each = environment.iterator();
        while (each.next()) |variable| try found.append(arena, variable.key_ptr.*);
        return found.items;
    }
    for (environment.entries.items) |entry| {
        const text = std.mem.span(entry);
        const equals = std.mem.indexOfScalar(u8, text, '=') orelse continue;
        if (equals > 0) try found.append(arena, text[0..equals]);
    }
    return found.items;
}

const Posix = struct {
    arena: Allocator,
    /// `NAME=value` strings; the inherited ones stay where the kernel put them.
    entries: std.ArrayList([*:0]const u8),

    fn init(arena: Allocator, inherited: []const [*:0]const u8) error{OutOfMemory}!Posix {
        var entries: std.ArrayList([*:0]const u8) = try .initCapacity(arena, inherited.len + 16);
        entries.appendSliceAssumeCapacity(inherited);
        return .{ .arena = arena, .entries = entries };
    }

    /// The value of the variable `name`; null if it is not set.
    pub fn get(environment: Posix, name: []const u8) ?[]const u8 {
        const index = environment.find(name, 0) orelse return null;
        return std.mem.span(environment.entries.items[index])[name.len + 1 ..];
    }

    /// Sets the variable `name`, and removes its other entries.
    pub fn put(environment: *Posix, name: []const u8, value: []const u8) error{OutOfMemory}!void {
        environment.remove(name);
        const entry = try std.mem.concatWithSentinel(environment.arena, u8, &.{ name, "=", value }, 0);
        try environment.entries.append(environment.arena, entry);
    }

    /// How many entries there are.
    pub fn count(environment: Posix) usize {
        return environment.entries.items.len;
    }

    /// Removes all entries of that name: the kernel allows several.
    pub fn remove(environment: *Posix, name: []const u8) void {
        var index: usize = 0;
        while (environment.find(name, index)) |found| {
            _ = environment.entries.orderedRemove(found);
            index = found;
        }
    }

    fn find(environment: Posix, name: []const u8, from: usize) ?usize {
        if (name.len == 0) return null;
        for (environment.entries.items[from..], from..) |entry, index| {
            if (std.mem.orderZ(u8, entry, "") == .eq) continue;
            if (matches(entry, name)) return index;
        }
        return null;
    }

    fn matches(entry: [*:0]const u8, name: []const u8) bool {
        for (name, 0..) |character, i| if (entry[i] != character) return false;
        return entry[name.len] == '=';
    }

    /// The form that execve(2) takes.
    pub fn block(environment: *Posix) ![*:null]const ?[*:0]const u8 {
        const out = try environment.arena.allocSentinel(?[*:0]const u8, environment.entries.items.len, null);
        for (environment.entries.items, out) |entry, *slot| slot.* = entry;
        return out.ptr;
    }
};

test "values are found, replaced and removed, and others stay unchanged" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const inherited = [_][*:0]const u8{ "A=1", "", "AB=\xff\xfe", "A=2", "=x", "NOVALUE" };
    var environment = try Posix.init(arena.allocator(), &inherited);
    try testing.expectEqualStrings("1", environment.get("A").?);
    try testing.expectEqualStrings("\xff\xfe", environment.get("AB").?);
    try testing.expectEqual(null, environment.get("NOVALUE"));
    try testing.expectEqual(null, environment.get(""));
    try environment.put("A", "3");
    try testing.expectEqualStrings("3", environment.get("A").?);
    environment.remove("A");
    try testing.expectEqual(null, environment.get("A"));
    try testing.expectEqual(4, environment.entries.items.len);
    var copied = try clone(arena.allocator(), environment);
    copied.remove("AB");
    try testing.expectEqualStrings("\xff\xfe", environment.get("AB").?);
    const found = try names(arena.allocator(), environment);
    try testing.expectEqual(1, found.len);
    try testing.expectEqualStrings("AB", found[0]);
    const block = try environment.block();
    try testing.expectEqualStrings("AB=\xff\xfe", std.mem.span(block[1].?));
    try testing.expectEqual(null, block[4]);
}
