//! Patches that a plan writes over installed files: an executable that starts through its own loader contains the
//! loader's path, which depends on the host.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const plan = @import("plan.zig");
const rendering = @import("rendering.zig");

/// Writes `patch` over its file in `directory`.
pub fn write(directory: std.fs.Dir, patch: plan.Patch, places: rendering.Places) !void {
    const file = try directory.openFile(patch.path, .{ .mode = .read_write });
    defer file.close();
    const bytes = try content(std.heap.page_allocator, file, patch, places);
    defer std.heap.page_allocator.free(bytes);
    try file.pwriteAll(bytes, patch.offset);
}

/// Whether `file` has the bytes that `patch` writes.
pub fn matches(file: std.fs.File, patch: plan.Patch, places: rendering.Places) !bool {
    const allocator = std.heap.page_allocator;
    const wanted = try content(allocator, file, patch, places);
    defer allocator.free(wanted);
    const found = try allocator.alloc(u8, wanted.len);
    defer allocator.free(found);
    return try file.preadAll(found, patch.offset) == found.len and std.mem.eql(u8, found, wanted);
}

/// The bytes that `patch` writes into `file`. The caller frees them.
fn content(allocator: Allocator, file: std.fs.File, patch: plan.Patch, places: rendering.Places) ![]u8 {
    const bytes = try allocator.alloc(u8, patch.length());
    errdefer allocator.free(bytes);
    switch (patch.what) {
        .bytes => |hexadecimal| _ = std.fmt.hexToBytes(bytes, hexadecimal) catch return error.CorruptPlan,
        .copy => |copy| if (try file.preadAll(bytes, copy.source) != bytes.len) return error.CorruptPlan,
        .text => |text| {
            // A colon separates directories in the loader's search path.
            if (std.mem.indexOfScalar(u8, places.base, ':') != null) return error.BadPathName;
            var out: std.Io.Writer = .fixed(bytes[0 .. bytes.len - 1]);
            rendering.fill(&out, text.template, places) catch return error.NameTooLong;
            @memset(bytes[out.end..], 0);
        },
    }
    return bytes;
}

fn patched(patches: []const plan.Patch, before: []const u8, base: []const u8, buffer: []u8) ![]const u8 {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.writeFile(.{ .sub_path = "f", .data = before });
    const places: rendering.Places = .{ .base = base, .root = "/r" };
    for (patches) |patch| try write(tmp.dir, patch, places);
    const file = try tmp.dir.openFile("f", .{ .mode = .read_write });
    defer file.close();
    for (patches) |patch| {
        try testing.expect(try matches(file, patch, places));
        try file.pwriteAll("#", patch.offset);
        try testing.expect(!try matches(file, patch, places));
        try write(tmp.dir, patch, places);
    }
    return tmp.dir.readFile("f", buffer);
}

test "bytes, texts and copies are written over a file and after its end" {
    var buffer: [64]u8 = undefined;
    const patches = [_]plan.Patch{
        .{ .path = "f", .offset = 1, .what = .{ .bytes = "4142" } },
        .{ .path = "f", .offset = 8, .what = .{ .text = .{ .length = 7, .template = "{base}:{root}" } } },
        .{ .path = "f", .offset = 16, .what = .{ .copy = .{ .source = 1, .length = 3 } } },
    };
    try testing.expectEqualStrings("0AB345\x00\x00/b:/r\x00\x00\x00AB3", try patched(&patches, "012345", "/b", &buffer));
}

test "a path that does not fit, or that has a colon, is an error" {
    var buffer: [64]u8 = undefined;
    const patches = [_]plan.Patch{
        .{ .path = "f", .offset = 0, .what = .{ .text = .{ .length = 5, .template = "{base}/l" } } },
    };
    try testing.expectEqualStrings("/b/l\x00", try patched(&patches, "012", "/b", &buffer));
    try testing.expectError(error.NameTooLong, patched(&patches, "012", "/bc", &buffer));
    try testing.expectError(error.BadPathName, patched(&patches, "012", "/:", &buffer));
}

test "a copy from beyond the end is an error" {
    var buffer: [64]u8 = undefined;
    const patches = [_]plan.Patch{
        .{ .path = "f", .offset = 0, .what = .{ .copy = .{ .source = 2, .length = 2 } } },
    };
    try testing.expectError(error.CorruptPlan, patched(&patches, "012", "/b", &buffer));
}
