//! The manifest with all of its members, including those that a start does not use.

const std = @import("std");
const testing = std.testing;
const manifest = @import("../manifest.zig");
const Context = @import("context.zig").Context;

pub const Document = struct {
    scie: struct {
        format: u32,
        jump: Launcher,
        lift: Lift,
    },
    ptex: manifest.Urls = .{},

    pub const Launcher = struct { version: []const u8, size: u64, hash: []const u8 };

    pub const Needs = struct { glibc: ?[]const u8 = null, musl: bool = false };

    pub const Lift = struct {
        name: []const u8,
        description: ?[]const u8 = null,
        platform: []const u8 = "unknown",
        base: ?[]const u8 = null,
        tools: []const u8 = manifest.default_tools,
        needs: Needs = .{},
        libc: ?manifest.BundledLibc = null,
        files: []const Part,
        lazy: []const manifest.LazyPart = &.{},
        boot: manifest.Boot,
    };

    pub const Part = struct {
        name: []const u8,
        kind: manifest.Kind,
        digest: []const u8,
        offset: u64,
        size: u64,
        unpacked: u64,
        description: []const u8 = "",
        first_module: []const u8 = "",
        requires: []const []const u8 = &.{},
    };

    /// Parses the text of a manifest.
    pub fn parse(arena: std.mem.Allocator, text: []const u8) manifest.Error!Document {
        const options: std.json.ParseOptions = .{ .ignore_unknown_fields = true };
        return std.json.parseFromSliceLeaky(Document, arena, text, options) catch |err| switch (err) {
            error.OutOfMemory => error.OutOfMemory,
            else => error.CorruptManifest,
        };
    }
};

/// Reads the text of the running executable's manifest.
pub fn read(context: *const Context) manifest.Error![]const u8 {
    return manifest.readText(context.arena, context.executable.file, context.executable.payload_end);
}

test "a document has every member, and defaults for optional ones" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const head = "{\"scie\":{\"format\":1,\"jump\":{\"version\":\"0.1\",\"size\":7,\"hash\":\"ab\"},\"lift\":{\"name\":\"app\",";
    const tail = "\"files\":[],\"boot\":{\"commands\":{}}}},\"crc32\":\"0\"}";
    const least = try Document.parse(arena.allocator(), head ++ tail);
    try testing.expectEqualStrings("SCIE", least.scie.lift.tools);
    try testing.expectEqual(7, least.scie.jump.size);
    const more = try Document.parse(arena.allocator(), head ++ "\"needs\":{\"glibc\":\"2.17\"}," ++ tail);
    try testing.expectEqualStrings("2.17", more.scie.lift.needs.glibc.?);
    try testing.expectError(error.CorruptManifest, Document.parse(arena.allocator(), head));
}
