//! Another user of the host, and what it is to interfere with.
//!
//!     neighbour exchange A B            exchanges two names until it is killed
//!     neighbour relink LINK A B         makes LINK lead to A, then to B, until it is killed
//!     neighbour start N PROGRAM [NAME=VALUE ...]
//!                                       starts a program N times, and prints how often each status was the end
//!     neighbour ANYTHING ELSE           ends with the status of a foreign program: it is in the place of another

const std = @import("std");
const linux = std.os.linux;

const foreign = 66;

const rename_exchange = 1 << 1; // RENAME_EXCHANGE

pub fn main() !void {
    const arguments = std.os.argv;
    const Mode = enum { exchange, relink, start, foreign };
    const word = if (arguments.len > 3) std.mem.span(arguments[1]) else "foreign";
    switch (std.meta.stringToEnum(Mode, word) orelse .foreign) {
        .exchange => exchange(arguments[2], arguments[3]),
        .relink => relink(arguments[2], arguments[3], arguments[4]),
        .start => try start(try std.fmt.parseInt(usize, std.mem.span(arguments[2]), 10), arguments[3], arguments[4..]),
        .foreign => linux.exit_group(foreign),
    }
}

fn exchange(one: [*:0]const u8, other: [*:0]const u8) void {
    while (true) {
        const result = linux.renameat2(linux.AT.FDCWD, one, linux.AT.FDCWD, other, rename_exchange);
        if (linux.E.init(result) != .SUCCESS) linux.exit_group(1);
    }
}

fn relink(link: [*:0]const u8, one: [*:0]const u8, other: [*:0]const u8) void {
    var buffer: [4096:0]u8 = undefined;
    const beside = std.fmt.bufPrintZ(&buffer, "{s}.new", .{link}) catch unreachable;
    while (true) for ([_][*:0]const u8{ one, other }) |target| {
        if (linux.E.init(linux.symlink(target, beside)) != .SUCCESS) linux.exit_group(1);
        if (linux.E.init(linux.rename(beside, link)) != .SUCCESS) linux.exit_group(1);
    };
}

fn start(times: usize, program: [*:0]const u8, environment: [][*:0]u8) !void {
    var variables: [64:null]?[*:0]const u8 = @splat(null);
    for (environment, variables[0..environment.len]) |variable, *slot| slot.* = variable;
    const argv = [_:null]?[*:0]const u8{program};
    var ends: [256]usize = @splat(0);
    for (0..times) |_| {
        const child = linux.fork();
        if (child == 0) {
            silence();
            _ = linux.execve(program, &argv, &variables);
            linux.exit_group(127);
        }
        var status: u32 = 0;
        while (linux.E.init(linux.wait4(@intCast(child), &status, 0, null)) == .INTR) {}
        ends[if (linux.W.IFEXITED(status)) linux.W.EXITSTATUS(status) else 255] += 1;
    }
    var buffer: [4096]u8 = undefined;
    var writer = std.fs.File.stdout().writer(&buffer);
    for (ends, 0..) |count, status| if (count > 0) try writer.interface.print("{d} {d}\n", .{ status, count });
    try writer.interface.flush();
}

fn silence() void {
    const no_writable_directory = linux.open("/dev/null", .{ .ACCMODE = .RDWR }, 0);
    for (0..3) |handle| _ = linux.dup2(@intCast(no_writable_directory), @intCast(handle));
}
