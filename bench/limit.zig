//! The limit of a cold start: writes as many bytes as an installation has into as many files and directories,
//! and does nothing else. `limit LIST DIRECTORY THREADS`; the lines of LIST are `dir PATH`, `file SIZE PATH`
//! and `link TARGET PATH`, tab-separated, in the order of the plan.

const std = @import("std");
const Allocator = std.mem.Allocator;

/// How many files a thread takes at a time: neighbours, which lie in few directories.
const batch_length = 32;

var bytes: [1 << 20]u8 = undefined;

const File = struct { size: u64, path: []const u8 };
const Link = struct { target: []const u8, path: []const u8 };

const Work = struct {
    directory: std.fs.Dir,
    files: []const File,
    next: std.atomic.Value(usize) = .init(0),

    fn run(work: *Work) void {
        while (true) {
            const start = work.next.fetchAdd(batch_length, .monotonic);
            if (start >= work.files.len) return;
            for (work.files[start..@min(start + batch_length, work.files.len)]) |file| {
                work.write(file) catch |err| std.debug.panic("{s}: {t}", .{ file.path, err });
            }
        }
    }

    fn write(work: *Work, file: File) !void {
        const created = try work.directory.createFile(file.path, .{ .exclusive = true, .mode = 0o644 });
        defer created.close();
        var left = file.size;
        while (left > 0) {
            const chunk = bytes[0..@intCast(@min(left, bytes.len))];
            try created.writeAll(chunk);
            left -= chunk.len;
        }
    }
};

pub fn main() !void {
    const allocator = std.heap.page_allocator;
    const arguments = try std.process.argsAlloc(allocator);
    const list = try std.fs.cwd().readFileAlloc(allocator, arguments[1], 1 << 30);
    try std.fs.cwd().makeDir(arguments[2]);
    const directory = try std.fs.cwd().openDir(arguments[2], .{});
    const threads = try std.fmt.parseInt(usize, arguments[3], 10);
    // No file system can make anything shorter of these.
    var noise: std.Random.DefaultPrng = .init(1);
    noise.fill(&bytes);

    var files: std.ArrayList(File) = .empty;
    var links: std.ArrayList(Link) = .empty;
    var lines = std.mem.tokenizeScalar(u8, list, '\n');
    while (lines.next()) |line| {
        var fields = std.mem.splitScalar(u8, line, '\t');
        const word = fields.next().?;
        if (std.mem.eql(u8, word, "dir")) {
            try directory.makeDir(fields.next().?);
        } else if (std.mem.eql(u8, word, "file")) {
            const size = try std.fmt.parseInt(u64, fields.next().?, 10);
            try files.append(allocator, .{ .size = size, .path = fields.next().? });
        } else {
            try links.append(allocator, .{ .target = fields.next().?, .path = fields.next().? });
        }
    }

    var work: Work = .{ .directory = directory, .files = files.items };
    const helpers = try allocator.alloc(std.Thread, threads - 1);
    for (helpers) |*helper| helper.* = try std.Thread.spawn(.{}, Work.run, .{&work});
    work.run();
    for (helpers) |helper| helper.join();
    for (links.items) |link| try directory.symLink(link.target, link.path, .{});
}
