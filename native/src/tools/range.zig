//! A range of a file, copied to another.

const std = @import("std");
const testing = std.testing;

/// Appends `length` bytes of `from`, from `start` on, to `to`. A file that ends before that is damaged.
pub fn copy(from: std.fs.File, to: std.fs.File, start: u64, length: u64) !void {
    var buffer: [16 << 10]u8 = undefined;
    var done: u64 = 0;
    while (done < length) {
        const chunk = buffer[0..@intCast(@min(buffer.len, length - done))];
        if (try from.preadAll(chunk, start + done) != chunk.len) return error.CorruptZip;
        try to.writeAll(chunk);
        done += chunk.len;
    }
}

test "a range is copied, and one that is not there is an error" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const from = try tmp.dir.createFile("from", .{ .read = true });
    defer from.close();
    try from.writeAll("0123456789");
    const to = try tmp.dir.createFile("to", .{ .read = true });
    defer to.close();
    try copy(from, to, 2, 5);
    try testing.expectError(error.CorruptZip, copy(from, to, 8, 3));
    var buffer: [16]u8 = undefined;
    try testing.expectEqualStrings("23456", buffer[0..try to.preadAll(&buffer, 0)]);
}
