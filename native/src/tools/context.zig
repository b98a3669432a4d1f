//! What a tool works with.

const std = @import("std");
const Environment = @import("../environment.zig").Environment;
const base_directory = @import("../base.zig");
const locate = @import("../locate.zig");
const manifest = @import("../manifest.zig");
const Options = @import("options.zig").Options;

pub const Context = struct {
    arena: std.mem.Allocator,
    executable: locate.Executable,
    lift: manifest.Manifest,
    variables: Environment,
    options: Options,
    out: *std.Io.Writer,

    /// Answers with JSON.
    pub fn json(context: *const Context, value: anytype) !void {
        var stream: std.json.Stringify = .{ .writer = context.out, .options = .{ .whitespace = .indent_2 } };
        try stream.write(value);
        try context.out.writeByte('\n');
    }

    pub fn candidates(context: *const Context) ![]const base_directory.Candidate {
        const executable = context.executable;
        return base_directory.candidates(context.arena, context.variables, context.lift.base, executable.secret);
    }

    /// The base directory that a start would unpack into if there were room; null when it is not there.
    pub fn presentBase(context: *const Context) !?base_directory.Base {
        for (try context.candidates()) |candidate| {
            if (candidate.whose == .hosts_to_read) continue;
            switch (try base_directory.assess(context.arena, candidate, &.{})) {
                .holds => {
                    var base = try open(candidate.path);
                    base.whose = candidate.whose;
                    return base;
                },
                .usable => return null,
                .refused => {},
            }
        }
        return null;
    }

    pub fn open(path: []const u8) !base_directory.Base {
        return .{ .directory = try base_directory.openNoFollow(path), .path = path };
    }
};
