//! Matches regular expressions as the launcher does. Reads lines of a pattern and a text, both in hexadecimal digits
//! with a comma between them, and writes a line for each: `invalid`, `yes` or `no`.

const std = @import("std");
const Expression = @import("regular_expression").Expression;

pub fn main() !void {
    var arena: std.heap.ArenaAllocator = .init(std.heap.page_allocator);
    const input = try std.fs.File.stdin().readToEndAlloc(arena.allocator(), 16 << 20);
    var buffer: [4096]u8 = undefined;
    var stdout = std.fs.File.stdout().writerStreaming(&buffer);
    var lines = std.mem.tokenizeScalar(u8, input, '\n');
    while (lines.next()) |line| {
        var memory: std.heap.ArenaAllocator = .init(std.heap.page_allocator);
        defer memory.deinit();
        const comma = std.mem.indexOfScalar(u8, line, ',') orelse return error.Usage;
        const pattern = try decoded(memory.allocator(), line[0..comma]);
        const text = try decoded(memory.allocator(), line[comma + 1 ..]);
        try stdout.interface.writeAll(try judge(memory.allocator(), pattern, text));
    }
    try stdout.interface.flush();
}

fn decoded(arena: std.mem.Allocator, digits: []const u8) ![]const u8 {
    return std.fmt.hexToBytes(try arena.alloc(u8, digits.len / 2), digits);
}

fn judge(arena: std.mem.Allocator, pattern: []const u8, text: []const u8) ![]const u8 {
    const expression = Expression.compile(arena, pattern) catch |err| switch (err) {
        error.InvalidExpression => return "invalid\n",
        else => return err,
    };
    return if (try expression.search(arena, text)) "yes\n" else "no\n";
}
