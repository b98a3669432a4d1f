//! The fetcher: the program that an executable has if it does not contain all of its parts.
//!
//! The launcher starts it for a part that is not installed: it downloads the part, or has a binding print it, compares
//! size and SHA-256, and unpacks it. Commands of a lift start it as `{ptex}`, as they start the ptex of science.

const std = @import("std");
const testing = std.testing;
const archive = @import("fetch/archive.zig");
const download = @import("fetch/download.zig");
const part = @import("fetch/part.zig");
const ptex = @import("fetch/ptex.zig");
const report = @import("report.zig");
const Session = @import("fetch/session.zig").Session;
const Watch = @import("fetch/watch.zig").Watch;

/// How long, in seconds, nothing may arrive.
const timeout_default = 30;
const timeout_setting = "CZSCIE_FETCH_TIMEOUT";

var watch: Watch = .{ .seconds = timeout_default, .give_up = giveUp };

pub fn main() u8 {
    var arena: std.heap.ArenaAllocator = .init(std.heap.page_allocator);
    return run(arena.allocator()) catch |err| report.fatal("czscie-fetch", "{s}", .{report.describe(err)});
}

fn run(arena: std.mem.Allocator) !u8 {
    const environment = try arena.create(std.process.EnvMap);
    environment.* = try std.process.getEnvMap(arena);
    if (environment.get(timeout_setting)) |text| {
        watch.seconds = std.fmt.parseInt(u32, text, 10) catch
            report.fatal("czscie-fetch", timeout_setting ++ " is not a number of seconds", .{});
    }
    try watch.start();
    var session: Session = .{ .arena = arena, .environment = environment, .watch = &watch };
    const arguments = try std.process.argsAlloc(arena);
    if (arguments.len > 1 and std.mem.eql(u8, arguments[1], part.argument)) return part.run(&session, arguments[2..]);
    return ptex.run(&session, arguments[@min(1, arguments.len)..]);
}

fn giveUp() void {
    report.fatal("czscie-fetch", "nothing arrived for {d} seconds" ++
        "\nhint: check the network, or set " ++ timeout_setting ++ " to a longer time in seconds", .{watch.seconds});
}

test {
    _ = archive;
    _ = download;
    _ = part;
    _ = ptex;
    _ = @import("fetch/exchange.zig");
    _ = @import("fetch/netrc.zig");
    _ = @import("fetch/proxy.zig");
    _ = @import("fetch/tar.zig");
    _ = @import("fetch/urls.zig");
    _ = @import("fetch/watch.zig");
    _ = @import("fetch/zstd_stream.zig");
}
