//! What the tool `install` does on Windows to write a stub, for any host: SCIE LENGTH TAIL OUTPUT.
//!
//! The first LENGTH bytes of SCIE are its launcher; TAIL is what the stub ends with. Prints where the payload ends.

const std = @import("std");
const pe = @import("pe");

pub fn main() !void {
    const gpa = std.heap.page_allocator;
    const arguments = try std.process.argsAlloc(gpa);
    const scie = try std.fs.cwd().openFile(arguments[1], .{});
    const length = try std.fmt.parseInt(u64, arguments[2], 10);
    const output = try std.fs.cwd().createFile(arguments[4], .{ .read = true });
    const launcher = try gpa.alloc(u8, @intCast(length));
    if (try scie.preadAll(launcher, 0) != length) return error.Short;
    try output.writeAll(launcher);
    var buffer: pe.HeadBuffer = undefined;
    try output.pwriteAll(try pe.readBareHead(scie, &buffer), 0);
    try output.writeAll(try std.fs.cwd().readFileAlloc(gpa, arguments[3], 1 << 20));
    try pe.writeChecksum(output);
    const size = try scie.getEndPos();
    var text: [32]u8 = undefined;
    try std.fs.File.stdout().writeAll(try std.fmt.bufPrint(&text, "{d}\n", .{pe.certificateTable(scie, size) orelse size}));
}
