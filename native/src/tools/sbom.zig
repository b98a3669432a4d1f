//! `sbom` prints the bill of materials, CycloneDX in JSON, which the build stored in the file. It installs nothing.

const std = @import("std");
const entry_content = @import("../entry.zig");
const report = @import("../report.zig");
const zip = @import("../zip.zig");
const Context = @import("context.zig").Context;

/// An entry of the last zip. No plan names it.
const entry_name = ".czscie/sbom.cdx.json";

pub fn run(context: *const Context) anyerror!u8 {
    const name = context.lift.name;
    const path = context.executable.path;
    if (!context.lift.hasParts()) report.fatal(
        name,
        "{s} belongs to a permanent installation and contains no bill of materials" ++
            "\nhint: run the tool on the original executable",
        .{path},
    );
    const files = context.lift.files;
    if (files.len == 0) report.fatal(name, "{s} has no parts", .{path});
    const range = files[files.len - 1].range();
    const entries = try zip.readDirectory(context.arena, context.executable.file, range);
    const entry = entries.get(entry_name) orelse
        report.fatal(name, "{s} was built without a bill of materials", .{path});
    var reader: entry_content.Reader = try .init(context.executable.file);
    defer reader.deinit();
    var sink: Sink = .{ .out = context.out };
    try reader.stream(entry, range.end, &sink);
    return 0;
}

const Sink = struct {
    out: *std.Io.Writer,

    pub fn write(sink: *Sink, bytes: []const u8) !void {
        try sink.out.writeAll(bytes);
    }
};
