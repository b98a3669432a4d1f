//! The placeholders of a boot command: those of scie that a lift of czscie can contain.
//!
//!     {scie} {scie.argv0} {scie.base} {scie.files.NAME} {NAME} {scie.env.NAME} {scie.env.NAME=DEFAULT} {{
//!
//! A default may contain placeholders. A value from the environment is never expanded again.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

pub const Error = error{ UnknownPlaceholder, OutOfMemory };

/// The maximum depth of nested defaults.
const depth_max = 8;

pub const Values = struct {
    context: *const anyopaque,
    /// The value of the placeholder `name`, without braces; null if it is unknown.
    lookup: *const fn (context: *const anyopaque, arena: Allocator, name: []const u8) error{OutOfMemory}!?[]const u8,
    /// The value of an environment variable.
    environment: *const fn (context: *const anyopaque, name: []const u8) ?[]const u8,
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
}

/// The index of the brace that closes the one before `text`.
fn closing(text: []const u8) ?usize {
    var open: usize = 1;
    for (text, 0..) |character, i| {
        if (character == '{') open += 1;
        if (character == '}') open -= 1;
        if (open == 0) return i;
    }
    return null;
}

fn appendValue(arena: Allocator, out: *std.ArrayList(u8), name: []const u8, values: Values, depth: u8) Error!void {
    const environment_prefix = "scie.env.";
    if (std.mem.startsWith(u8, name, environment_prefix)) {
        const variable = name[environment_prefix.len..];
        const equals = std.mem.indexOfScalar(u8, variable, '=') orelse variable.len;
        if (values.environment(values.context, variable[0..equals])) |value| {
            try out.appendSlice(arena, value);
        } else if (equals < variable.len) {
            try append(arena, out, variable[equals + 1 ..], values, depth + 1);
        }
    } else {
        const value = try values.lookup(values.context, arena, name) orelse return error.UnknownPlaceholder;
        try out.appendSlice(arena, value);
    }
}

const Fake = struct {
    const values: Values = .{ .context = &{}, .lookup = lookup, .environment = environment };

    fn lookup(_: *const anyopaque, _: Allocator, name: []const u8) error{OutOfMemory}!?[]const u8 {
        return if (std.mem.eql(u8, name, "scie")) "/bin/app" else null;
    }

    fn environment(_: *const anyopaque, name: []const u8) ?[]const u8 {
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
    };
    for (cases) |case| {
        try testing.expectEqualStrings(case[1], try expand(arena.allocator(), case[0], Fake.values));
    }
    for ([_][]const u8{ "{", "{nobody}", "{scie", "{scie.env.A={b", "{scie.env.A=" ** 9 ++ "}" ** 9 }) |bad| {
        try testing.expectError(error.UnknownPlaceholder, expand(arena.allocator(), bad, Fake.values));
    }
}
