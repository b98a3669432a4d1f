//! Small files, read and written whole.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const file_changes = @import("file_changes.zig");

const first_length = 1024;

/// The content of `path`. A file of more than `length_max` bytes is an error.
pub fn read(arena: Allocator, directory: std.fs.Dir, path: []const u8, length_max: usize) ![]const u8 {
    const file = try directory.openFile(path, .{});
    defer file.close();
    var content: std.ArrayList(u8) = .empty;
    try content.ensureTotalCapacityPrecise(arena, first_length);
    while (true) {
        const chunk = content.unusedCapacitySlice();
        const length = try file.read(chunk);
        content.items.len += length;
        if (length == 0) return content.items;
        if (content.items.len > length_max) return error.FileTooBig;
        try content.ensureUnusedCapacity(arena, first_length);
    }
}

/// Writes `content` as `partial` and then gives it the name `path`, so that it is never seen incomplete.
pub fn write(directory: std.fs.Dir, path: []const u8, partial: []const u8, content: []const u8) !void {
    directory.deleteFile(partial) catch |err| if (err != error.FileNotFound) return err;
    {
        const file = try file_changes.create(directory, partial, if (std.fs.has_executable_bit) 0o600 else 0);
        defer file.close();
        try file.writeAll(content);
    }
    try file_changes.rename(directory, partial, directory, path);
}

test "a file is read as it was written, and a large one is refused" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    for ([_][]const u8{ "", "short", "long" ** 1000, "other" }) |content| {
        try write(tmp.dir, "file", "file.partial", content);
        try testing.expectEqualStrings(content, try read(arena.allocator(), tmp.dir, "file", 4000));
        try testing.expectError(error.FileNotFound, tmp.dir.access("file.partial", .{}));
    }
    try testing.expectError(error.FileTooBig, read(arena.allocator(), tmp.dir, "file", 4));
    try testing.expectError(error.FileNotFound, read(arena.allocator(), tmp.dir, "none", 4));
}
