//! A line that says how much has been downloaded, on a terminal only.

const std = @import("std");

const interval_ns = 200 * std.time.ns_per_ms;

pub const Progress = struct {
    name: []const u8,
    total: ?u64,
    is_shown: bool,
    last: i128 = 0,

    pub fn init(name: []const u8, total: ?u64, is_wanted: bool) Progress {
        return .{ .name = name, .total = total, .is_shown = is_wanted and std.fs.File.stderr().isTty() };
    }

    pub fn update(progress: *Progress, bytes: u64) void {
        if (!progress.is_shown) return;
        const now = std.time.nanoTimestamp();
        if (now - progress.last < interval_ns) return;
        progress.last = now;
        const mega = 1_000_000;
        var buffer: [256]u8 = undefined;
        var writer = std.fs.File.stderr().writerStreaming(&buffer);
        const out = &writer.interface;
        if (progress.total) |total| {
            out.print("\r\x1b[KDownloading {s}: {d} of {d} MB", .{ progress.name, bytes / mega, (total + mega - 1) / mega }) catch return;
        } else out.print("\r\x1b[KDownloading {s}: {d} MB", .{ progress.name, bytes / mega }) catch return;
        out.flush() catch return;
    }

    /// Removes the line.
    pub fn end(progress: *Progress) void {
        if (progress.is_shown and progress.last != 0) std.fs.File.stderr().writeAll("\r\x1b[K") catch {};
        progress.last = 0;
    }
};
