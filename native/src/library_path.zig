//! LD_LIBRARY_PATH, for hosts where the dynamic loader cannot expand `$ORIGIN` in a program's search path (ld.so(8)):
//! it reads /proc, which may be missing, and a program in memory has no directory.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const Environment = @import("environment.zig").Environment;
const manifest = @import("manifest.zig");

const variable = "LD_LIBRARY_PATH";

/// Prepends the library directories of every interpreter in `files`.
pub fn prepend(arena: Allocator, environment: *Environment, base: []const u8, files: []const manifest.File) !void {
    var path: std.ArrayList(u8) = .empty;
    for (files) |file| {
        if (file.kind != .interpreter) continue;
        if (path.items.len > 0) try path.append(arena, ':');
        try path.print(arena, "{s}/{s}/{s}/lib", .{ base, file.kind.directory(), file.installedName() });
    }
    if (environment.get(variable)) |given| {
        if (std.mem.startsWith(u8, given, path.items)) return; // inherited from a start that has set it
        try path.print(arena, ":{s}", .{given});
    }
    try environment.put(variable, path.items);
}

test "libraries of interpreters come first" {
    if (@import("builtin").os.tag == .windows) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var environment = try @import("environment.zig").inherit(arena.allocator());
    environment.entries.clearRetainingCapacity();
    const file: manifest.File = .{
        .name = "cpython",
        .kind = .interpreter,
        .digest = "d",
        .offset = 0,
        .size = 0,
        .unpacked = 0,
    };
    for (0..2) |_| {
        try prepend(arena.allocator(), &environment, "/base", &.{file});
        try testing.expectEqualStrings("/base/interpreters/d/lib", environment.get(variable).?);
    }
    try environment.put(variable, "/own");
    try prepend(arena.allocator(), &environment, "/base", &.{file});
    try testing.expectEqualStrings("/base/interpreters/d/lib:/own", environment.get(variable).?);
}
