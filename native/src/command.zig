//! The boot command: the program to start, with its arguments and environment.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const Environment = @import("environment.zig").Environment;
const manifest = @import("manifest.zig");
const placeholders = @import("placeholders.zig");

pub const Error = error{ UnknownPlaceholder, OutOfMemory };

/// The values of placeholders.
pub const Context = struct {
    lift: manifest.Manifest,
    executable: []const u8,
    argv0: []const u8,
    base: []const u8,
    environment: *Environment,

    fn values(context: *const Context) placeholders.Values {
        return .{ .context = context, .lookup = lookup, .environment = variable };
    }

    fn lookup(opaque_context: *const anyopaque, arena: Allocator, name: []const u8) error{OutOfMemory}!?[]const u8 {
        const context: *const Context = @ptrCast(@alignCast(opaque_context));
        if (std.mem.eql(u8, name, "scie")) return context.executable;
        if (std.mem.eql(u8, name, "scie.argv0")) return context.argv0;
        if (std.mem.eql(u8, name, "scie.base")) return context.base;
        const prefix = "scie.files.";
        const file_name = if (std.mem.startsWith(u8, name, prefix)) name[prefix.len..] else name;
        const file = context.lift.find(file_name) orelse return null;
        return try std.fs.path.join(arena, &.{ context.base, file.kind.directory(), file.installedName() });
    }

    fn variable(opaque_context: *const anyopaque, name: []const u8) ?[]const u8 {
        const context: *const Context = @ptrCast(@alignCast(opaque_context));
        return context.environment.get(name);
    }
};

pub const Choice = struct {
    command: manifest.Command,
    /// How many of the user's arguments select the command and are not passed to it.
    consumed: usize,
};

/// Selects the command: by `SCIE_BOOT`, else the default one, else by the name of the executable, else by the first
/// argument.
pub fn choose(lift: manifest.Manifest, environment: Environment, argv0: []const u8, first: ?[]const u8) ?Choice {
    const commands = lift.boot.commands.map;
    if (environment.get("SCIE_BOOT")) |name| return .{ .command = commands.get(name) orelse return null, .consumed = 0 };
    if (commands.get("")) |command| return .{ .command = command, .consumed = 0 };
    const called = if (builtin.os.tag == .windows) std.fs.path.stem(argv0) else std.fs.path.basename(argv0);
    if (commands.get(called)) |command| return .{ .command = command, .consumed = 0 };
    return .{ .command = commands.get(first orelse return null) orelse return null, .consumed = 1 };
}

/// The program and its arguments. The caller appends the user's arguments.
pub fn arguments(arena: Allocator, command: manifest.Command, context: *const Context) Error![]const [:0]const u8 {
    const out = try arena.alloc([:0]const u8, command.args.len + 1);
    out[0] = try placeholders.expand(arena, command.exe, context.values());
    for (command.args, out[1..]) |template, *slot| slot.* = try placeholders.expand(arena, template, context.values());
    return out;
}

/// Applies the command's changes to the environment: removals, then defaults, then replacements. Values are expanded
/// against the inherited environment.
pub fn applyEnvironment(arena: Allocator, command: manifest.Command, context: *const Context) !void {
    const environment = context.environment;
    const changes = command.env.map;
    const expanded = try arena.alloc(?[]const u8, changes.count());
    for (changes.values(), expanded) |template, *slot| {
        slot.* = if (template) |text| try placeholders.expand(arena, text, context.values()) else null;
    }
    for (changes.keys(), expanded) |key, value| {
        if (value == null) environment.remove(variableName(key));
    }
    for (changes.keys(), expanded) |key, value| {
        const name = variableName(key);
        if (value != null and (isReplacement(key) or environment.get(name) == null)) try environment.put(name, value.?);
    }
    if (context.lift.libc) |libc| for (libc.env.map.keys(), libc.env.map.values()) |name, template| {
        if (environment.get(name) == null) try environment.put(name, try placeholders.expand(arena, template, context.values()));
    };
    environment.remove("SCIE_BOOT");
    try environment.put("SCIE", context.executable);
    try environment.put("SCIE_ARGV0", context.argv0);
}

fn isReplacement(key: []const u8) bool {
    return key.len > 0 and key[0] == '=';
}

fn variableName(key: []const u8) []const u8 {
    return if (isReplacement(key)) key[1..] else key;
}

fn testCommands(arena: Allocator, names: []const []const u8) !manifest.Manifest {
    var commands: std.json.ArrayHashMap(manifest.Command) = .{};
    for (names) |name| try commands.map.put(arena, name, .{ .exe = name });
    const files = try arena.dupe(manifest.File, &.{.{
        .name = "cpython",
        .kind = .interpreter,
        .digest = "d",
        .offset = 0,
        .size = 0,
        .unpacked = 0,
    }});
    return .{ .name = "tool", .files = files, .boot = .{ .commands = commands } };
}

fn emptyEnvironment(arena: Allocator) !Environment {
    var environment = try @import("environment.zig").inherit(arena);
    if (builtin.os.tag == .windows) environment = .init(arena) else environment.entries.clearRetainingCapacity();
    return environment;
}

test "SCIE_BOOT, the default, the executable's name and the first argument select a command" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var environment = try emptyEnvironment(arena.allocator());
    const several = try testCommands(arena.allocator(), &.{ "one", "two" });
    try testing.expectEqualStrings("two", choose(several, environment, "/bin/two", "one").?.command.exe);
    const named = choose(several, environment, "/bin/tool", "one").?;
    try testing.expectEqualStrings("one", named.command.exe);
    try testing.expectEqual(1, named.consumed);
    try testing.expectEqual(null, choose(several, environment, "/bin/tool", null));
    try testing.expectEqual(null, choose(several, environment, "/bin/tool", "three"));
    const default = try testCommands(arena.allocator(), &.{ "", "two" });
    try testing.expectEqualStrings("", choose(default, environment, "/bin/two", "two").?.command.exe);
    try environment.put("SCIE_BOOT", "two");
    try testing.expectEqualStrings("two", choose(default, environment, "/bin/x", null).?.command.exe);
}

test "the environment is changed in scie's order: removals, defaults, replacements" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var environment = try emptyEnvironment(arena.allocator());
    try environment.put("KEPT", "user");
    try environment.put("GONE", "user");
    try environment.put("FORCED", "user");
    var command: manifest.Command = .{ .exe = "{cpython}/bin/python", .args = &.{"{scie.files.cpython}"} };
    try command.env.map.put(arena.allocator(), "KEPT", "default");
    try command.env.map.put(arena.allocator(), "NEW", "{scie.base}");
    try command.env.map.put(arena.allocator(), "=FORCED", "{scie.env.FORCED}!");
    try command.env.map.put(arena.allocator(), "=GONE", null);
    const context: Context = .{
        .lift = try testCommands(arena.allocator(), &.{""}),
        .executable = "/bin/tool",
        .argv0 = "tool",
        .base = "/base",
        .environment = &environment,
    };
    const found = try arguments(arena.allocator(), command, &context);
    const root = try std.fs.path.join(arena.allocator(), &.{ "/base", "interpreters", "d" });
    try testing.expectEqualStrings(try std.mem.concat(arena.allocator(), u8, &.{ root, "/bin/python" }), found[0]);
    try testing.expectEqualStrings(root, found[1]);
    try applyEnvironment(arena.allocator(), command, &context);
    try testing.expectEqualStrings("user", environment.get("KEPT").?);
    try testing.expectEqualStrings("/base", environment.get("NEW").?);
    try testing.expectEqualStrings("user!", environment.get("FORCED").?);
    try testing.expectEqual(null, environment.get("GONE"));
    try testing.expectEqualStrings("/bin/tool", environment.get("SCIE").?);
}
