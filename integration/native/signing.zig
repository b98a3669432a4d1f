//! What the tool `install` does on a Mac to write a stub, for any host: SCIE LENGTH TAIL OUTPUT IDENTIFIER.
//!
//! The first LENGTH bytes of SCIE are its launcher; TAIL is what the stub ends with.

const std = @import("std");
const mach_o = @import("mach_o");

pub fn main() !void {
    const gpa = std.heap.page_allocator;
    const arguments = try std.process.argsAlloc(gpa);
    const scie = try std.fs.cwd().openFile(arguments[1], .{});
    const length = try std.fmt.parseInt(u64, arguments[2], 10);
    const output = try std.fs.cwd().createFile(arguments[4], .{ .read = true });
    const launcher = try gpa.alloc(u8, @intCast(length));
    if (try scie.preadAll(launcher, 0) != length) return error.Short;
    try output.writeAll(launcher);
    var buffer: mach_o.HeadBuffer = undefined;
    try output.pwriteAll(try mach_o.readBareHead(scie, length, &buffer), 0);
    try output.writeAll(try std.fs.cwd().readFileAlloc(gpa, arguments[3], 1 << 20));
    try mach_o.sign(output, arguments[5]);
    const end = mach_o.signatureOffset(scie, try scie.getEndPos()) orelse 0;
    var text: [32]u8 = undefined;
    try std.fs.File.stdout().writeAll(try std.fmt.bufPrint(&text, "{d}\n", .{end}));
}
