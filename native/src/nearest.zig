//! The names that a misspelled one may stand for.

const std = @import("std");
const testing = std.testing;

/// A longer name has no nearest ones.
const length_max = 64;
const count_max = 3;

pub const Nearest = struct {
    names: [count_max][]const u8 = undefined,
    count: usize = 0,

    /// Those of `names` that differ from `wanted` least, in a third of its characters at most.
    pub fn find(wanted: []const u8, names: []const []const u8) Nearest {
        var found: Nearest = .{};
        if (wanted.len == 0 or wanted.len > length_max) return found;
        var least: usize = @max(1, wanted.len / 3);
        for (names) |name| {
            if (name.len == 0 or name.len > length_max) continue;
            const difference = distance(wanted, name);
            if (difference > least) continue;
            if (difference < least) found.count = 0;
            least = difference;
            if (found.count == count_max) continue;
            found.names[found.count] = name;
            found.count += 1;
        }
        return found;
    }

    /// `{f}` formats the names as `one or two`.
    pub fn format(found: Nearest, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        for (found.names[0..found.count], 0..) |name, index| {
            if (index > 0) try writer.writeAll(" or ");
            try writer.writeAll(name);
        }
    }
};

/// The bytes to insert, remove or replace, and the neighbours to exchange, to make one of the other (optimal string
/// alignment).
fn distance(left: []const u8, right: []const u8) usize {
    var table: [length_max + 1][length_max + 1]u8 = undefined;
    for (0..left.len + 1) |i| table[i][0] = @intCast(i);
    for (0..right.len + 1) |j| table[0][j] = @intCast(j);
    for (left, 1..) |a, i| for (right, 1..) |b, j| {
        var least = @min(table[i - 1][j] + 1, table[i][j - 1] + 1, table[i - 1][j - 1] + @intFromBool(a != b));
        if (i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b) least = @min(least, table[i - 2][j - 2] + 1);
        table[i][j] = least;
    };
    return table[left.len][right.len];
}

test "the nearest names differ least" {
    const names = [_][]const u8{ "serve", "server", "worker", "", "x" ** 65, "beat", "boat" };
    const cases = [_][2][]const u8{
        .{ "serv", "serve" },  .{ "servers", "server" }, .{ "wroker", "worker" }, .{ "bat", "beat or boat" },
        .{ "migrate", "" },    .{ "", "" },              .{ "x" ** 65, "" },      .{ "y", "" },
        .{ "Serve", "serve" },
    };
    for (cases) |case| {
        var buffer: [64]u8 = undefined;
        var out: std.Io.Writer = .fixed(&buffer);
        try out.print("{f}", .{Nearest.find(case[0], &names)});
        try testing.expectEqualStrings(case[1], out.buffered());
    }
}

test "the distance counts changed bytes" {
    try testing.expectEqual(3, distance("kitten", "sitting"));
    try testing.expectEqual(4, distance("", "four"));
    try testing.expectEqual(0, distance("same", "same"));
    try testing.expectEqual(1, distance("tow", "two"));
}
