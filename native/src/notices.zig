//! The last note that a start printed about a base directory, so that the next starts of the day do not repeat it. A
//! file in the base directory contains the note, and its time says when it was printed.

const std = @import("std");
const testing = std.testing;
const file_status = @import("file_status.zig");
const last_use = @import("last_use.zig");

const name = "last-notice";

/// Whether `text` was not printed today for `directory`, and records it. If the directory is not writable, every note
/// is new.
pub fn isNew(directory: std.fs.Dir, text: []const u8) bool {
    if (wasShownToday(directory, text)) return false;
    const file = directory.createFile(name, .{}) catch return true;
    defer file.close();
    file.writeAll(text) catch {};
    return true;
}

fn wasShownToday(directory: std.fs.Dir, text: []const u8) bool {
    const file = directory.openFile(name, .{}) catch return false;
    defer file.close();
    const status = file_status.of(file) catch return false;
    if (status.kind != .file or last_use.isDayOld(status.mtime)) return false;
    var buffer: [std.fs.max_path_bytes + 1024]u8 = undefined;
    const length = file.preadAll(&buffer, 0) catch return false;
    return std.mem.eql(u8, buffer[0..length], text);
}

test "a note is new again when it changes, and after a day" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try testing.expect(isNew(tmp.dir, "one"));
    try testing.expect(!isNew(tmp.dir, "one"));
    try testing.expect(isNew(tmp.dir, "other"));
    try testing.expect(!isNew(tmp.dir, "other"));
    const file = try tmp.dir.openFile(name, .{ .mode = .read_write });
    try file.updateTimes(0, 0);
    file.close();
    try testing.expect(isNew(tmp.dir, "other"));
    try testing.expect(!isNew(tmp.dir, "other"));
}
