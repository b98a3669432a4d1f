//! An installed file held against what it must hold, piece by piece.

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
    /// What is written over the file; the bytes below count for nothing.
    patches: []const plan_text.Patch = &.{},
    offset: u64 = 0,
    problem: ?[]const u8 = null,

    /// Of the file `planned` below `directory`.
    pub fn begin(directory: std.fs.Dir, planned: plan_text.File) Comparison {
        // A FIFO would be waited for, and a link leads to what another may change.
        const status = file_status.atItself(directory, planned.path) catch |err|
            return .{ .file = null, .problem = report.describe(err) };
        if (status.kind != .file) return .{ .file = null, .problem = "it is not a file" };
        const file = directory.openFile(planned.path, .{}) catch |err|
            return .{ .file = null, .problem = report.describe(err) };
        return .{ .file = file, .problem = if (hasExecuteBit(file, planned)) null else "it is not executable" };
    }

    fn hasExecuteBit(file: std.fs.File, planned: plan_text.File) bool {
        if (builtin.os.tag == .windows or planned.mode & 0o100 == 0) return true;
        const status = file_status.of(file) catch return false;
        return status.mode & 0o100 != 0;
    }

    /// What must come next.
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
            if (try comparison.file.?.preadAll(chunk, comparison.offset + done) != chunk.len) return "it is too short";
            comparison.maskPatches(chunk, bytes[done..][0..chunk.len], comparison.offset + done);
            if (!std.mem.eql(u8, chunk, bytes[done..][0..chunk.len])) return changed;
            done += chunk.len;
        }
        return null;
    }

    /// Makes those bytes of `chunk`, which is at `offset` of the file, as `planned` that a patch is written over.
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

    /// Looks at the patches, at the end: they are in the file as `places` have them. What is behind the file's end
    /// is theirs.
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

    const changed = "its content was changed";

    /// What is wrong with the file, after all that it must hold; null when nothing is.
    pub fn end(comparison: *Comparison) ?[]const u8 {
        const file = comparison.file orelse return comparison.problem;
        defer file.close();
        if (comparison.problem) |problem| return problem;
        const size = file_status.length(file) catch |err| return report.describe(err);
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

test "a patched file is as planned but for its patches, which are looked at too" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const planned: plan_text.File = .{ .path = "f", .kind = .file, .mode = 0o644, .entry = 0, .offset = 0, .length = 6 };
    const patches = [_]plan_text.Patch{
        .{ .path = "f", .offset = 2, .what = .{ .bytes = "5859" } },
        .{ .path = "f", .offset = 7, .what = .{ .bytes = "5a" } },
    };
    const cases = [_]struct { []const u8, ?[]const u8 }{
        .{ "abXYef\x00Z", null },
        .{ "abcdef\x00Z", "its content was changed" },
        .{ "abXYeF\x00Z", "its content was changed" },
        .{ "abXYef\x00z", "its content was changed" },
        .{ "abXYef\x00", "its content was changed" },
        .{ "abXYef\x00Z ", "it is too long" },
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

test "a program that is not executable is told" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.writeFile(.{ .sub_path = "f", .data = "" });
    const planned: plan_text.File = .{ .path = "f", .kind = .file, .mode = 0o755, .entry = 0, .offset = 0, .length = 0 };
    var comparison: Comparison = .begin(tmp.dir, planned);
    try testing.expectEqualStrings("it is not executable", comparison.end().?);
}
