//! Sizes for people: megabytes, as file managers and `du --si` tell them.

const std = @import("std");
const testing = std.testing;

/// `{f}` prints it as `18.6 MB`.
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
