//! Compares an installed file with its expected content, piece by piece.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const file_status = @import("file_status.zig");
const patch_file = @import("patch.zig");
const plan_text = @import("plan.zig");
const rendering = @import("rendering.zig");
const report = @import("report.zig");

pub const Comparison = struct {
    file: ?std.fs.File,
    /// The patches written over the file; the planned bytes at their place are ignored.
    patches: []const plan_text.Patch = &.{},
    offset: u64 = 0,
    problem: ?[]const u8 = null,

    /// Begins the comparison of the file `planned` in `directory`.
    pub fn begin(directory: std.fs.Dir, planned: plan_text.File) Comparison {
        // Opening a FIFO would block, and another user may change the target of a link.
        const status = file_status.atItself(directory, planned.path) catch |err|
            return .{ .file = null, .problem = report.describe(err) };
        if (status.kind != .file) return .{ .file = null, .problem = "not a regular file" };
        const file = directory.openFile(planned.path, .{}) catch |err|
            return .{ .file = null, .problem = report.describe(err) };
        return .{ .file = file, .problem = if (hasExecuteBit(file, planned)) null else "not executable" };
    }

    fn hasExecuteBit(file: std.fs.File, planned: plan_text.File) bool {
        if (builtin.os.tag == .windows or planned.mode & 0o100 == 0) return true;
        const status = file_status.of(file) catch return false;
        return status.mode & 0o100 != 0;
    }

    /// Compares the next bytes of the expected content.
    pub fn feed(comparison: *Comparison, bytes: []const u8) void {
        if (comparison.problem != null) return;
        comparison.problem = comparison.compare(bytes) catch |err| report.describe(err);
        comparison.offset += bytes.len;
    }

    fn compare(comparison: *Comparison, bytes: []const u8) !?[]const u8 {
        var buffer: [16 << 10]u8 = undefined;
        var done: usize = 0;
        while (done < bytes.len) {
            const chunk = buffer[0..@min(buffer.len, bytes.len - done)];
            if (try comparison.file.?.preadAll(chunk, comparison.offset + done) != chunk.len) return "too short";
            comparison.maskPatches(chunk, bytes[done..][0..chunk.len], comparison.offset + done);
            if (!std.mem.eql(u8, chunk, bytes[done..][0..chunk.len])) return changed;
            done += chunk.len;
        }
        return null;
    }

    /// Replaces the patched bytes of `chunk`, which is at `offset` of the file, by those of `planned`.
    fn maskPatches(comparison: Comparison, chunk: []u8, planned: []const u8, offset: u64) void {
        for (comparison.patches) |patch| {
            const first = @max(patch.offset, offset);
            const last = @min(patch.end(), offset + chunk.len);
            if (first >= last) continue;
            const from: usize = @intCast(first - offset);
            const to: usize = @intCast(last - offset);
            @memcpy(chunk[from..to], planned[from..to]);
        }
    }

    /// Compares the patches, after all content. They may extend the file.
    pub fn feedPatches(comparison: *Comparison, places: rendering.Places) void {
        for (comparison.patches) |patch| {
            comparison.offset = @max(comparison.offset, patch.end());
            if (comparison.problem != null) continue;
            const same = patch_file.matches(comparison.file.?, patch, places) catch |err| {
                comparison.problem = report.describe(err);
                continue;
            };
            if (!same) comparison.problem = changed;
        }
    }

    const changed = "the content differs";

    /// The problem with the file, after all expected content; null if there is none.
    pub fn end(comparison: *Comparison) ?[]const u8 {
        const file = comparison.file orelse return comparison.problem;
        defer file.close();
        if (comparison.problem) |problem| return problem;
        const size = file_status.length(file) catch |err| return report.describe(err);
        return if (size == comparison.offset) null else "too long";
    }
};

test "a file matches, is short, long, changed or missing" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const cases = [_]struct { []const u8, ?[]const u8 }{
        .{ "abcdef", null },
        .{ "abcde", "too short" },
        .{ "abcdefg", "too long" },
        .{ "abXdef", "the content differs" },
        .{ "", "too short" },
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

test "a patched file matches except for its patches, which are compared too" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const planned: plan_text.File = .{ .path = "f", .kind = .file, .mode = 0o644, .entry = 0, .offset = 0, .length = 6 };
    const patches = [_]plan_text.Patch{
        .{ .path = "f", .offset = 2, .what = .{ .bytes = "5859" } },
        .{ .path = "f", .offset = 7, .what = .{ .bytes = "5a" } },
    };
    const cases = [_]struct { []const u8, ?[]const u8 }{
        .{ "abXYef\x00Z", null },
        .{ "abcdef\x00Z", "the content differs" },
        .{ "abXYeF\x00Z", "the content differs" },
        .{ "abXYef\x00z", "the content differs" },
        .{ "abXYef\x00", "the content differs" },
        .{ "abXYef\x00Z ", "too long" },
    };
    for (cases) |case| {
        try tmp.dir.writeFile(.{ .sub_path = "f", .data = case[0] });
        var comparison: Comparison = .begin(tmp.dir, planned);
        comparison.patches = &patches;
        comparison.feed("abcd");
        comparison.feed("ef");
        comparison.feedPatches(.{ .base = "", .root = "" });
        const found = comparison.end();
        if (case[1]) |wanted| try testing.expectEqualStrings(wanted, found.?) else try testing.expectEqual(null, found);
    }
}

test "a program that is not executable is reported" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.writeFile(.{ .sub_path = "f", .data = "" });
    const planned: plan_text.File = .{ .path = "f", .kind = .file, .mode = 0o755, .entry = 0, .offset = 0, .length = 0 };
    var comparison: Comparison = .begin(tmp.dir, planned);
    try testing.expectEqualStrings("not executable", comparison.end().?);
}
