//! The input and output of a tool.

const std = @import("std");
const testing = std.testing;
const base_directory = @import("../base.zig");
const Environment = @import("../environment.zig").Environment;
const locate = @import("../locate.zig");
const manifest = @import("../manifest.zig");
const Options = @import("options.zig").Options;

pub const Context = struct {
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    variables: Environment,
    options: Options,
    out: *std.Io.Writer,

    /// Prints JSON.
    pub fn json(context: *const Context, value: anytype) !void {
        var stream: std.json.Stringify = .{ .writer = context.out, .options = .{ .whitespace = .indent_2 } };
        try stream.write(value);
        try context.out.writeByte('\n');
    }

    /// Whether a tool that prints text for people and another form for programs prints the text: as an option says,
    /// else on a terminal.
    pub fn isForPeople(context: *const Context) bool {
        if (context.options.json) return false;
        return context.options.text or std.fs.File.stdout().isTty();
    }

    /// The candidates for the base directory.
    pub fn candidates(context: *const Context) ![]const base_directory.Candidate {
        const executable = context.executable;
        return base_directory.candidates(context.arena, context.variables, context.lift.base, executable.is_private);
    }

    /// The base directory that a start would unpack into with enough space; null if it does not exist.
    pub fn existingBase(context: *const Context) !?base_directory.Base {
        for (try context.candidates()) |candidate| {
            if (candidate.scope == .host_read_only) continue;
            switch (try base_directory.assess(context.arena, candidate, &.{})) {
                .installed => {
                    var base = try open(candidate.path);
                    base.scope = candidate.scope;
                    return base;
                },
                .usable => return null,
                .refused => {},
            }
        }
        return null;
    }

    /// Opens the base directory `path`.
    pub fn open(path: []const u8) !base_directory.Base {
        return .{ .directory = try base_directory.openNoFollow(path), .path = path };
    }
};

/// A size in megabytes, as file managers and `du --si` print it. `{f}` formats it as `18.6 MB`.
pub const Size = struct {
    bytes: u64,

    pub fn format(size: Size, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        const tenths = (size.bytes +| 50_000) / 100_000;
        try writer.print("{d}.{d} MB", .{ tenths / 10, tenths % 10 });
    }
};

test "sizes are rounded to a tenth of a megabyte" {
    var buffer: [32]u8 = undefined;
    try testing.expectEqualStrings("0.0 MB", try std.fmt.bufPrint(&buffer, "{f}", .{Size{ .bytes = 49_999 }}));
    try testing.expectEqualStrings("18.6 MB", try std.fmt.bufPrint(&buffer, "{f}", .{Size{ .bytes = 18_586_281 }}));
    try testing.expectEqualStrings("2000.0 MB", try std.fmt.bufPrint(&buffer, "{f}", .{Size{ .bytes = 1_999_999_999 }}));
}
