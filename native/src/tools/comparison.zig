//! An installed file held against what it must hold, piece by piece.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const plan_text = @import("../plan.zig");
const report = @import("../report.zig");

pub const Comparison = struct {
    file: ?std.fs.File,
    offset: u64 = 0,
    problem: ?[]const u8 = null,

    /// Of the file `planned` below `directory`.
    pub fn begin(directory: std.fs.Dir, planned: plan_text.File) Comparison {
        const file = directory.openFile(planned.path, .{}) catch |err|
            return .{ .file = null, .problem = report.words(err) };
        return .{ .file = file, .problem = if (isAsExecutable(file, planned)) null else "it is not executable" };
    }

    fn isAsExecutable(file: std.fs.File, planned: plan_text.File) bool {
        if (builtin.os.tag == .windows or planned.mode & 0o100 == 0) return true;
        const status = file.stat() catch return false;
        return status.mode & 0o100 != 0;
    }

    /// What must come next.
    pub fn feed(comparison: *Comparison, bytes: []const u8) void {
        if (comparison.problem != null) return;
        comparison.problem = comparison.compare(bytes) catch |err| report.words(err);
        comparison.offset += bytes.len;
    }

    fn compare(comparison: *Comparison, bytes: []const u8) !?[]const u8 {
        var buffer: [16 << 10]u8 = undefined;
        var done: usize = 0;
        while (done < bytes.len) {
            const chunk = buffer[0..@min(buffer.len, bytes.len - done)];
            if (try comparison.file.?.preadAll(chunk, comparison.offset + done) != chunk.len) return "it is too short";
            if (!std.mem.eql(u8, chunk, bytes[done..][0..chunk.len])) return "its content was changed";
            done += chunk.len;
        }
        return null;
    }

    /// What is wrong with the file, after all that it must hold; null when nothing is.
    pub fn end(comparison: *Comparison) ?[]const u8 {
        const file = comparison.file orelse return comparison.problem;
        defer file.close();
        if (comparison.problem) |problem| return problem;
        const size = file.getEndPos() catch |err| return report.words(err);
        return if (size == comparison.offset) null else "it is too long";
    }
};

test "a file is as planned, or short, or long, or changed, or gone" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const cases = [_]struct { []const u8, ?[]const u8 }{
        .{ "abcdef", null },
        .{ "abcde", "it is too short" },
        .{ "abcdefg", "it is too long" },
        .{ "abXdef", "its content was changed" },
        .{ "", "it is too short" },
    };
    const planned: plan_text.File = .{ .path = "f", .kind = .file, .mode = 0o644, .entry = 0, .offset = 0, .length = 6 };
    for (cases) |case| {
        try tmp.dir.writeFile(.{ .sub_path = "f", .data = case[0] });
        var comparison: Comparison = .begin(tmp.dir, planned);
        comparison.feed("abc");
        comparison.feed("def");
        const found = comparison.end();
        if (case[1]) |wanted| try testing.expectEqualStrings(wanted, found.?) else try testing.expectEqual(null, found);
    }
    try tmp.dir.deleteFile("f");
    var gone: Comparison = .begin(tmp.dir, planned);
    gone.feed("abc");
    try testing.expectEqualStrings("no such file or directory", gone.end().?);
}

test "a program that is not executable is told" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.writeFile(.{ .sub_path = "f", .data = "" });
    const planned: plan_text.File = .{ .path = "f", .kind = .file, .mode = 0o755, .entry = 0, .offset = 0, .length = 0 };
    var comparison: Comparison = .begin(tmp.dir, planned);
    try testing.expectEqualStrings("it is not executable", comparison.end().?);
}
