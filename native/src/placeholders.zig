//! Placeholders of boot commands: names in braces that the launcher replaces by values. docs/reference/format.md lists
//! them.
//!
//! A name and a default can hold placeholders themselves: `{scie.env.A_{scie.env.B=c}={scie.base}}`. A value of the
//! environment is never expanded again.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

/// `ProgramNotStarted`: the value is to be told by a program that cannot be started.
pub const Error = error{ UnknownPlaceholder, ExpansionTooLong, ProgramNotStarted, OutOfMemory };

/// Placeholders in placeholders: more than anybody needs, and a bound.
const depth_max = 16;

/// Linux starts no program with a longer argument (execve(2), MAX_ARG_STRLEN).
const length_max = 128 << 10;

pub const Values = struct {
    context: *anyopaque,
    /// The value of a placeholder without its braces, or null when there is no such placeholder.
    lookup: *const fn (context: *anyopaque, arena: Allocator, name: []const u8) Error!?[]const u8,
    /// The value of one that can have a default, which stands for null. `name` is what follows the prefix.
    optional: *const fn (context: *anyopaque, arena: Allocator, kind: Kind, name: []const u8) Error!?[]const u8,
};

/// Placeholders that can have a default.
pub const Kind = enum {
    environment,
    binding,
    cache_directory,

    fn prefix(kind: Kind) []const u8 {
        return switch (kind) {
            .environment => "scie.env.",
            .binding => "scie.bindings.",
            .cache_directory => "scie.user.cache_dir",
        };
    }

    fn of(placeholder: []const u8) ?Kind {
        for (std.enums.values(Kind)) |kind| if (std.mem.startsWith(u8, placeholder, kind.prefix())) return kind;
        return null;
    }
};

/// Replaces the placeholders of `template` by their values. Returns error.UnknownPlaceholder for an unknown or
/// malformed one.
pub fn expand(arena: Allocator, template: []const u8, values: Values) Error![:0]const u8 {
    var out: std.ArrayList(u8) = .empty;
    try append(arena, &out, template, values, 0);
    return out.toOwnedSliceSentinel(arena, 0);
}

fn append(arena: Allocator, out: *std.ArrayList(u8), template: []const u8, values: Values, depth: u8) Error!void {
    if (depth == depth_max) return error.UnknownPlaceholder;
    var rest = template;
    while (std.mem.indexOfScalar(u8, rest, '{')) |open| {
        try out.appendSlice(arena, rest[0..open]);
        rest = rest[open + 1 ..];
        if (std.mem.startsWith(u8, rest, "{")) {
            try out.append(arena, '{');
            rest = rest[1..];
            continue;
        }
        const close = closing(rest) orelse return error.UnknownPlaceholder;
        try appendValue(arena, out, rest[0..close], values, depth);
        rest = rest[close + 1 ..];
    }
    try out.appendSlice(arena, rest);
    if (out.items.len > length_max) return error.ExpansionTooLong;
}

/// Where the brace that was opened before `text` is closed.
fn closing(text: []const u8) ?usize {
    var open: usize = 1;
    for (text, 0..) |character, i| {
        if (character == '{') open += 1;
        if (character == '}') open -= 1;
        if (open == 0) return i;
    }
    return null;
}

fn appendValue(arena: Allocator, out: *std.ArrayList(u8), placeholder: []const u8, values: Values, depth: u8) Error!void {
    const kind = Kind.of(placeholder) orelse {
        const name = try expandName(arena, placeholder, values, depth);
        const value = try values.lookup(values.context, arena, name) orelse return error.UnknownPlaceholder;
        return out.appendSlice(arena, value);
    };
    const rest = placeholder[kind.prefix().len..];
    const equals = defaultStart(rest) orelse rest.len;
    const name = try expandName(arena, rest[0..equals], values, depth);
    if (try values.optional(values.context, arena, kind, name)) |value| {
        try out.appendSlice(arena, value);
    } else if (equals < rest.len) {
        try append(arena, out, rest[equals + 1 ..], values, depth + 1);
    }
}

fn expandName(arena: Allocator, template: []const u8, values: Values, depth: u8) Error![]const u8 {
    if (std.mem.indexOfScalar(u8, template, '{') == null) return template;
    var out: std.ArrayList(u8) = .empty;
    try append(arena, &out, template, values, depth + 1);
    return out.items;
}

/// Where the sign is that a default follows: the first one that is not in a placeholder of the name.
fn defaultStart(text: []const u8) ?usize {
    var open: usize = 0;
    for (text, 0..) |character, i| switch (character) {
        '{' => open += 1,
        '}' => open -|= 1,
        '=' => if (open == 0) return i,
        else => {},
    };
    return null;
}

/// `text` as a template that stands for it.
pub fn escape(arena: Allocator, text: []const u8) error{OutOfMemory}![]const u8 {
    return std.mem.replaceOwned(u8, arena, text, "{", "{{");
}

const Fake = struct {
    var nothing: u8 = 0;
    const values: Values = .{ .context = &nothing, .lookup = lookup, .optional = optional };

    fn lookup(_: *anyopaque, _: Allocator, name: []const u8) Error!?[]const u8 {
        if (std.mem.eql(u8, name, "scie.files.b")) return "/base/b";
        return if (std.mem.eql(u8, name, "scie")) "/bin/app" else null;
    }

    fn optional(_: *anyopaque, _: Allocator, kind: Kind, name: []const u8) Error!?[]const u8 {
        if (kind == .binding) return if (std.mem.eql(u8, name, "make:KEY")) "made" else null;
        if (kind == .cache_directory) return null;
        if (std.mem.eql(u8, name, "B")) return "b";
        return if (std.mem.eql(u8, name, "HOME")) "/h{scie}" else null;
    }
};

test "placeholders become their values, and nothing else changes" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const cases = [_][2][]const u8{
        .{ "plain } text", "plain } text" },
        .{ "{scie}/x{scie}", "/bin/app/x/bin/app" },
        .{ "{{scie}", "{scie}" },
        .{ "{scie.env.HOME}", "/h{scie}" },
        .{ "{scie.env.HOME=x}", "/h{scie}" },
        .{ "[{scie.env.NONE}]", "[]" },
        .{ "{scie.env.NONE=a={scie}}", "a=/bin/app" },
        .{ "{scie.env.{scie.env.N=B}}", "b" },
        .{ "{scie.env.{scie.env.N=A}=c}", "c" },
        .{ "{scie.files.{scie.env.B}}", "/base/b" },
        .{ "{scie.bindings.make:KEY}", "made" },
        .{ "{scie.bindings.make:{scie.env.NONE=KEY}=x}", "made" },
        .{ "{scie.bindings.make:OTHER=x=y}", "x=y" },
        .{ "{scie.user.cache_dir=~/.cache}/x", "~/.cache/x" },
    };
    for (cases) |case| {
        try testing.expectEqualStrings(case[1], try expand(arena.allocator(), case[0], Fake.values));
    }
    for ([_][]const u8{
        "{", "{nobody}", "{scie", "{scie.env.A={b", "{scie.files.{scie.env.HOME}}", "{scie.env.A=" ** 17 ++ "}" ** 17,
    }) |bad| {
        try testing.expectError(error.UnknownPlaceholder, expand(arena.allocator(), bad, Fake.values));
    }
    const long = "a" ** (length_max + 1);
    try testing.expectError(error.ExpansionTooLong, expand(arena.allocator(), long, Fake.values));
}

test "an escaped text stands for itself" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const text = "/a{scie}{{b}";
    const template = try escape(arena.allocator(), text);
    try testing.expectEqualStrings(text, try expand(arena.allocator(), template, Fake.values));
}
