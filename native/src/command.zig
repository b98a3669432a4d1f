//! The boot command: which program is started, with which arguments and environment.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const base_directory = @import("base.zig");
const Boot = @import("boot.zig").Boot;
const environments = @import("environment.zig");
const lazy = @import("lazy.zig");
const Environment = environments.Environment;
const manifest = @import("manifest.zig");
const messages = @import("messages.zig");
const placeholders = @import("placeholders.zig");
const Expression = @import("regular_expression.zig").Expression;

pub const Error = placeholders.Error || error{InvalidExpression};

/// What placeholders can name.
pub const Context = struct {
    lift: manifest.Manifest,
    executable: []const u8,
    argv0: []const u8,
    /// Empty as long as there is none.
    base: []const u8 = "",
    /// As the executable was started with it.
    environment: *const Environment,
    /// What bindings found out, and what else is made for commands. Null as long as there is no base directory.
    boot: ?*Boot = null,

    /// The variables that every command gets are there from the beginning.
    fn inherited(context: Context, name: []const u8) ?[]const u8 {
        if (std.mem.eql(u8, name, "SCIE")) return context.executable;
        if (std.mem.eql(u8, name, "SCIE_ARGV0")) return context.argv0;
        return context.environment.get(name);
    }

    fn lookup(context: *const Context, arena: Allocator, name: []const u8) placeholders.Error!?[]const u8 {
        const Own = enum { scie, @"scie.argv0", @"scie.base", @"scie.lift", @"scie.jump", @"scie.bindings", @"scie.platform", @"scie.platform.os", @"scie.platform.arch" };
        const own = std.meta.stringToEnum(Own, name) orelse return context.lookupFile(arena, name);
        return switch (own) {
            .scie => context.executable,
            .@"scie.argv0" => context.argv0,
            .@"scie.base" => if (context.base.len > 0) context.base else null,
            .@"scie.lift" => if (context.boot) |boot| try boot.liftPath() else null,
            .@"scie.jump" => if (context.boot) |boot| try boot.launcherPath() else null,
            .@"scie.bindings" => if (context.boot) |boot| try boot.bindingsPath() else null,
            .@"scie.platform" => system ++ "-" ++ processor,
            .@"scie.platform.os" => system,
            .@"scie.platform.arch" => processor,
        };
    }

    fn lookupFile(context: *const Context, arena: Allocator, name: []const u8) placeholders.Error!?[]const u8 {
        const hash_prefix = "scie.files:hash.";
        if (std.mem.startsWith(u8, name, hash_prefix)) return context.lift.boot.hashes.map.get(name[hash_prefix.len..]);
        const file_name = if (std.mem.startsWith(u8, name, files_prefix)) name[files_prefix.len..] else name;
        if (context.lift.boot.names.map.get(file_name)) |place| return try context.join(arena, place.part, place.path);
        return context.join(arena, file_name, "");
    }

    fn join(context: *const Context, arena: Allocator, part: []const u8, path: []const u8) placeholders.Error!?[]const u8 {
        if (context.base.len == 0) return null;
        if (context.lift.find(part)) |file| {
            for (file.requires) |name| {
                const required = context.lift.findLazy(name) orelse return null;
                if (context.boot) |boot| try lazy.provideBeside(boot, required);
            }
            return try std.fs.path.join(arena, &.{ context.base, file.kind.directory(), file.installedName(), path });
        }
        const file = context.lift.findLazy(part) orelse return null;
        const base = if (context.boot) |boot| try lazy.provide(boot, file) else return null;
        return try std.fs.path.join(arena, &.{ base, file.kind.directory(), file.file().installedName(), path });
    }
};

const files_prefix = "scie.files.";

/// As scies call them.
const system = @tagName(builtin.os.tag);
const processor = switch (builtin.cpu.arch) {
    .arm => "armv7l",
    .powerpc64le => "powerpc64",
    else => |arch| @tagName(arch),
};

pub const Choice = struct {
    command: manifest.Command,
    /// How many of the user's arguments chose the command and are not passed on to it.
    consumed: usize,
};

/// The command that is chosen: `SCIE_BOOT`, else the default one, else the one that the executable is called by, else
/// the first argument.
pub fn choose(lift: manifest.Manifest, environment: Environment, argv0: []const u8, first: ?[]const u8) ?Choice {
    const commands = lift.boot.commands.map;
    if (environment.get("SCIE_BOOT")) |name| return .{ .command = commands.get(name) orelse return null, .consumed = 0 };
    const called = if (builtin.os.tag == .windows) std.fs.path.stem(argv0) else std.fs.path.basename(argv0);
    if (lift.boot.by_name) if (commands.get(called)) |command| return .{ .command = command, .consumed = 0 };
    if (commands.get("")) |command| return .{ .command = command, .consumed = 0 };
    if (commands.get(called)) |command| return .{ .command = command, .consumed = 0 };
    return .{ .command = commands.get(first orelse return null) orelse return null, .consumed = 1 };
}

/// The lift's own base directory, without placeholders.
pub fn expandBase(arena: Allocator, context: *const Context) Error!?[]const u8 {
    const template = context.lift.base orelse return null;
    return try expandAlone(arena, template, context);
}

/// `template` without placeholders, in the environment that the executable was started with.
pub fn expandAlone(arena: Allocator, template: []const u8, context: *const Context) placeholders.Error![:0]const u8 {
    var expansion: Expansion = .{ .arena = arena, .context = context, .command = .{ .exe = "" }, .removed = &.{} };
    return placeholders.expand(arena, template, expansion.values());
}

/// A command without placeholders.
pub const Prepared = struct {
    /// The program first.
    arguments: []const [:0]const u8,
    /// By the keys of the command's `env`; null for what is removed.
    changes: std.StringArrayHashMapUnmanaged(?[]const u8),
    /// Variables to remove.
    removed: []const []const u8,

    /// Changes `environment`: what every command gets first, then removals, then defaults, then replacements.
    pub fn apply(prepared: Prepared, arena: Allocator, environment: *Environment, context: *const Context) Error!void {
        try put(environment, "SCIE", context.executable);
        try put(environment, "SCIE_ARGV0", context.argv0);
        for (prepared.removed) |name| environment.remove(name);
        for ([_]bool{ false, true }) |replaces| {
            for (prepared.changes.keys(), prepared.changes.values()) |key, change| {
                const value = change orelse continue;
                if (isReplacement(key) != replaces) continue;
                const name = variableName(key);
                if (replaces or environment.get(name) == null) try put(environment, name, value);
            }
        }
        if (context.lift.libc) |libc| {
            var expansion: Expansion = try .init(arena, .{ .exe = "" }, context);
            for (libc.env.map.keys(), libc.env.map.values()) |name, template| {
                if (environment.get(name) == null) try put(environment, name, try placeholders.expand(arena, template, expansion.values()));
            }
        }
    }
};

fn put(environment: *Environment, name: []const u8, value: []const u8) error{OutOfMemory}!void {
    environment.put(name, value) catch return error.OutOfMemory;
}

/// Expands the placeholders of `command`, and runs the bindings that they name.
pub fn prepare(arena: Allocator, command: manifest.Command, context: *const Context) Error!Prepared {
    var expansion: Expansion = try .init(arena, command, context);
    const arguments = try arena.alloc([:0]const u8, command.args.len + 1);
    arguments[0] = try placeholders.expand(arena, command.exe, expansion.values());
    for (command.args, arguments[1..]) |template, *slot| slot.* = try placeholders.expand(arena, template, expansion.values());
    var changes: std.StringArrayHashMapUnmanaged(?[]const u8) = .empty;
    for (command.env.map.keys(), command.env.map.values()) |key, template| {
        try changes.put(arena, key, if (template) |text| try expansion.change(key, text) else null);
    }
    return .{ .arguments = arguments, .changes = changes, .removed = expansion.removed };
}

/// The values of placeholders in one command. `{scie.env.NAME}` is what the command sets NAME to or, in the value of
/// NAME itself, what the executable was started with.
const Expansion = struct {
    arena: Allocator,
    context: *const Context,
    command: manifest.Command,
    removed: []const []const u8,
    /// Variables whose values are being expanded.
    open: std.ArrayList([]const u8) = .empty,
    /// Values that do not depend on which variables are open.
    known: std.StringArrayHashMapUnmanaged([]const u8) = .empty,
    remaining: u32 = lookups_max,

    /// Variables in the values of variables, and variables of one command: bounds that no lift comes near to.
    const open_max = 16;
    const lookups_max = 20_000;

    fn init(arena: Allocator, command: manifest.Command, context: *const Context) Error!Expansion {
        return .{ .arena = arena, .context = context, .command = command, .removed = try removals(arena, command, context) };
    }

    fn values(expansion: *Expansion) placeholders.Values {
        return .{ .context = expansion, .lookup = lookup, .optional = optional };
    }

    fn lookup(context: *anyopaque, arena: Allocator, name: []const u8) placeholders.Error!?[]const u8 {
        const expansion: *Expansion = @ptrCast(@alignCast(context));
        const value = try expansion.context.lookup(arena, name);
        // The build knows all names, except those that contain placeholders.
        if (value == null and expansion.context.boot != null and std.mem.startsWith(u8, name, files_prefix)) {
            messages.fileUnknown(expansion.context.lift, name[files_prefix.len..]);
        }
        return value;
    }

    fn optional(context: *anyopaque, arena: Allocator, kind: placeholders.Kind, name: []const u8) placeholders.Error!?[]const u8 {
        const expansion: *Expansion = @ptrCast(@alignCast(context));
        return switch (kind) {
            .environment => expansion.variable(name),
            .cache_directory => if (name.len > 0) error.UnknownPlaceholder else base_directory.cacheDirectory(arena, expansion.context.environment.*),
            .binding => if (expansion.context.boot) |boot| boot.bindingValue(name) else error.UnknownPlaceholder,
        };
    }

    fn variable(expansion: *Expansion, name: []const u8) placeholders.Error!?[]const u8 {
        if (expansion.remaining == 0) return error.ExpansionTooLong;
        expansion.remaining -= 1;
        if (expansion.known.get(name)) |value| return value;
        const inherited = expansion.context.inherited(name);
        if (expansion.isOpen(name)) return inherited;
        const template = expansion.definition(name) orelse return inherited;
        return try expansion.expandOf(name, template);
    }

    /// The value of the command's `env` at `key`.
    fn change(expansion: *Expansion, key: []const u8, template: []const u8) Error![]const u8 {
        const name = variableName(key);
        const value = try expansion.expandOf(name, template);
        const defined = expansion.definition(name) orelse return value;
        if (defined.ptr == template.ptr) try expansion.known.put(expansion.arena, name, value);
        return value;
    }

    fn expandOf(expansion: *Expansion, name: []const u8, template: []const u8) placeholders.Error![]const u8 {
        if (expansion.open.items.len == open_max) return error.ExpansionTooLong;
        try expansion.open.append(expansion.arena, name);
        defer _ = expansion.open.pop();
        return placeholders.expand(expansion.arena, template, expansion.values());
    }

    fn isOpen(expansion: Expansion, name: []const u8) bool {
        for (expansion.open.items) |each| if (isSameName(each, name)) return true;
        return false;
    }

    /// What the command sets `name` to, if it does.
    fn definition(expansion: Expansion, name: []const u8) ?[]const u8 {
        const env = expansion.command.env.map;
        var default: ?[]const u8 = null;
        for (env.keys(), env.values()) |key, value| {
            if (value == null or !isSameName(variableName(key), name)) continue;
            if (isReplacement(key)) return value;
            default = value;
        }
        if (expansion.context.inherited(name) == null) return default;
        for (expansion.removed) |each| if (isSameName(each, name)) return default;
        return null;
    }
};

/// The variables that the command removes from the environment that the executable was started with.
fn removals(arena: Allocator, command: manifest.Command, context: *const Context) Error![]const []const u8 {
    var found: std.ArrayList([]const u8) = .empty;
    var names: ?[]const []const u8 = null;
    for (command.env.map.keys(), command.env.map.values()) |key, value| {
        if (value != null) continue;
        if (isReplacement(key)) {
            try found.append(arena, key[1..]);
            continue;
        }
        const expression: Expression = try .compile(arena, key);
        if (names == null) {
            const inherited = try environments.names(arena, context.environment.*);
            names = try std.mem.concat(arena, []const u8, &.{ inherited, &.{ "SCIE", "SCIE_ARGV0" } });
        }
        for (names.?) |name| if (try expression.search(arena, name)) try found.append(arena, name);
    }
    return found.items;
}

fn isReplacement(key: []const u8) bool {
    return key.len > 0 and key[0] == '=';
}

fn variableName(key: []const u8) []const u8 {
    return if (isReplacement(key)) key[1..] else key;
}

fn isSameName(left: []const u8, right: []const u8) bool {
    return if (builtin.os.tag == .windows) std.ascii.eqlIgnoreCase(left, right) else std.mem.eql(u8, left, right);
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
    return environments.empty(arena);
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
    var named_first = default;
    named_first.boot.by_name = true;
    try testing.expectEqualStrings("two", choose(named_first, environment, "/bin/two", "x").?.command.exe);
    try testing.expectEqualStrings("", choose(named_first, environment, "/bin/tool", "two").?.command.exe);
    try environment.put("SCIE_BOOT", "two");
    try testing.expectEqualStrings("two", choose(default, environment, "/bin/x", null).?.command.exe);
}

test "the environment is changed in scie's order: removals, defaults, replacements" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const allocator = arena.allocator();
    var environment = try emptyEnvironment(allocator);
    for ([_][]const u8{ "KEPT", "GONE", "FORCED", "PEX_ROOT", "XPEX_Y", "PEX_MODE" }) |name| try environment.put(name, "user");
    var command: manifest.Command = .{ .exe = "{cpython}/bin/python", .args = &.{"{scie.files.cpython}"} };
    try command.env.map.put(allocator, "KEPT", "default");
    try command.env.map.put(allocator, "PEX_MODE", "own");
    try command.env.map.put(allocator, "NEW", "{scie.base}");
    try command.env.map.put(allocator, "=FORCED", "{scie.env.FORCED}!");
    try command.env.map.put(allocator, "=GONE", null);
    try command.env.map.put(allocator, "PEX_.*", null);
    const context: Context = .{
        .lift = try testCommands(allocator, &.{""}),
        .executable = "/bin/tool",
        .argv0 = "tool",
        .base = "/base",
        .environment = &environment,
    };
    const found = try prepare(allocator, command, &context);
    const root = try std.fs.path.join(allocator, &.{ "/base", "interpreters", "d" });
    try testing.expectEqualStrings(try std.mem.concat(allocator, u8, &.{ root, "/bin/python" }), found.arguments[0]);
    try testing.expectEqualStrings(root, found.arguments[1]);
    var changed = try environments.clone(allocator, environment);
    try found.apply(allocator, &changed, &context);
    const expected = [_]struct { []const u8, ?[]const u8 }{
        .{ "KEPT", "user" },      .{ "PEX_MODE", "own" }, .{ "NEW", "/base" },    .{ "FORCED", "user!" },
        .{ "GONE", null },        .{ "PEX_ROOT", null },  .{ "XPEX_Y", null },    .{ "PEX_.*", null },
        .{ "SCIE", "/bin/tool" }, .{ "KEPT", "user" },    .{ "SCIE_BOOT", null }, .{ "SCIE_ARGV0", "tool" },
    };
    for (expected) |case| if (case[1]) |value| {
        try testing.expectEqualStrings(value, changed.get(case[0]).?);
    } else try testing.expectEqual(null, changed.get(case[0]));
}

fn expandedFor(arena: Allocator, inherited: []const [2][]const u8, changes: []const [2][]const u8, template: []const u8) ![]const u8 {
    var environment = try emptyEnvironment(arena);
    for (inherited) |each| try environment.put(each[0], each[1]);
    var command: manifest.Command = .{ .exe = template };
    for (changes) |each| try command.env.map.put(arena, each[0], each[1]);
    const context: Context = .{
        .lift = try testCommands(arena, &.{""}),
        .executable = "/bin/tool",
        .argv0 = "tool",
        .environment = &environment,
    };
    const prepared = try prepare(arena, command, &context);
    var out: std.ArrayList(u8) = .empty;
    try out.appendSlice(arena, prepared.arguments[0]);
    for (prepared.changes.keys(), prepared.changes.values()) |key, value| try out.print(arena, " {s}={s}", .{ key, value.? });
    return out.items;
}

test "a variable in a placeholder is the command's own, in its own value the inherited one" {
    // There `a` and `A` are one variable.
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const allocator = arena.allocator();
    const ambient = [_][2][]const u8{ .{ "a", "ambient" }, .{ "PATH", "/test/path" }, .{ "raw", "{scie}" } };
    const cases = [_]struct { []const [2][]const u8, []const u8, []const u8 }{
        .{
            &.{ .{ "=a", "cmdA" }, .{ "b", "{scie.env.B}" }, .{ "=B", "e" }, .{ "=D", "{scie.env.a}-d" } },
            "{scie.env.a}{scie.env.b}",
            "cmdAe =a=cmdA b=e =B=e =D=cmdA-d",
        },
        .{ &.{.{ "a", "default" }}, "{scie.env.a}", "ambient a=default" },
        .{ &.{.{ "=PATH", "foo:{scie.env.PATH}" }}, "{scie.env.PATH}", "foo:/test/path =PATH=foo:/test/path" },
        .{
            &.{ .{ "=A", "{scie.env.B}" }, .{ "=B", "{scie.env.C=c}" }, .{ "=PATH", "{scie.env.A}:{scie.env.F}" }, .{ "=F", "{scie.env.PATH}" } },
            "{scie.env.A}",
            "c =A=c =B=c =PATH=c:/test/path =F=c:/test/path",
        },
        .{ &.{ .{ "=P_8", "eight" }, .{ "=P_9", "nine" } }, "{scie.env.P_{scie.env.MINOR=9}}", "nine =P_8=eight =P_9=nine" },
        .{ &.{.{ "=A", "{scie.env.raw}" }}, "{scie.env.A}{scie.env.SCIE}{scie.env.SCIE_ARGV0}", "{scie}/bin/tooltool =A={scie}" },
    };
    for (cases) |case| try testing.expectEqualStrings(case[2], try expandedFor(allocator, &ambient, case[0], case[1]));
    try testing.expectError(error.UnknownPlaceholder, expandedFor(allocator, &.{}, &.{}, "{scie.base}"));
    try testing.expectError(error.UnknownPlaceholder, expandedFor(allocator, &.{}, &.{}, "{scie.bindings.none}"));
}

test "values that grow without end are an error" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const allocator = arena.allocator();
    var changes: std.ArrayList([2][]const u8) = .empty;
    for (0..12) |number| {
        const value = try std.fmt.allocPrint(allocator, "{{scie.env.V{d}}}", .{number + 1});
        const many = try std.mem.concat(allocator, u8, &(.{value} ** 20));
        try changes.append(allocator, .{ try std.fmt.allocPrint(allocator, "=V{d}", .{number}), many });
    }
    try testing.expectError(error.ExpansionTooLong, expandedFor(allocator, &.{}, changes.items, "{scie.env.V0}"));
}
