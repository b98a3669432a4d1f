//! What small scies start: a static program that says so, and with what.

const std = @import("std");

pub fn main() !void {
    var buffer: [4096]u8 = undefined;
    var writer = std.fs.File.stdout().writer(&buffer);
    try writer.interface.writeAll("started\n");
    for (std.os.argv) |argument| try writer.interface.print("{s}\n", .{argument});
    try writer.interface.flush();
}
