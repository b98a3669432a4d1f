//! Takes a moment to read the file that its argument names, as Python does with its modules, and prints the numbers
//! of the descriptors that it was given.

const std = @import("std");
const linux = std.os.linux;

pub fn main() !void {
    std.Thread.sleep(std.time.ns_per_ms);
    const file = try std.fs.cwd().openFileZ(std.os.argv[1], .{});
    file.close();
    for (0..1024) |descriptor| {
        if (linux.E.init(linux.fcntl(@intCast(descriptor), linux.F.GETFD, 0)) != .SUCCESS) continue;
        var buffer: [16]u8 = undefined;
        _ = try std.fs.File.stdout().write(try std.fmt.bufPrint(&buffer, "{d}\n", .{descriptor}));
    }
}
