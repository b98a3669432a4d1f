//! URLs of files by their names, as ptex reads them: `{"ptex": {"NAME": "URL"}}` in a JSON document, for example the
//! manifest of an executable.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

const length_max = 4 << 20;

pub const Error = error{InvalidDocument} || std.fs.File.OpenError || std.fs.File.ReadError || error{ OutOfMemory, FileTooBig };

/// The URL of `name` in the document at `path`; null if it has none.
pub fn read(arena: Allocator, path: []const u8, name: []const u8) Error!?[]const u8 {
    const text = std.fs.cwd().readFileAlloc(arena, path, length_max) catch |err| switch (err) {
        error.FileTooBig, error.OutOfMemory => |known| return known,
        else => |other| return @errorCast(other),
    };
    return find(arena, text, name);
}

fn find(arena: Allocator, text: []const u8, name: []const u8) error{ InvalidDocument, OutOfMemory }!?[]const u8 {
    const document = std.json.parseFromSliceLeaky(
        struct { ptex: std.json.ArrayHashMap([]const u8) = .{} },
        arena,
        text,
        .{ .ignore_unknown_fields = true },
    ) catch |err| return if (err == error.OutOfMemory) error.OutOfMemory else error.InvalidDocument;
    return document.ptex.map.get(name);
}

test "a document tells the URLs of some files" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const text = "{\"scie\": {\"a\": []}, \"ptex\": {\"a.tar.gz\": \"https://example.org/a\"}}";
    try testing.expectEqualStrings("https://example.org/a", (try find(arena.allocator(), text, "a.tar.gz")).?);
    try testing.expectEqual(null, try find(arena.allocator(), text, "b"));
    try testing.expectEqual(null, try find(arena.allocator(), "{}", "b"));
    for ([_][]const u8{ "", "[]", "{\"ptex\": 1}", text[0 .. text.len - 1] }) |bad| {
        try testing.expectError(error.InvalidDocument, find(arena.allocator(), bad, "a"));
    }
}
