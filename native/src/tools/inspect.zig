//! `inspect` shows the contents of the file, from its manifest. For programs, it prints the manifest itself.

const std = @import("std");
const file_status = @import("../file_status.zig");
const Context = @import("context.zig").Context;
const documents = @import("document.zig");
const list = @import("list.zig");
const Document = documents.Document;
const Size = @import("context.zig").Size;

pub fn run(context: *const Context) anyerror!u8 {
    const text = try documents.read(context);
    if (!context.isForPeople()) {
        try context.out.print("{s}\n", .{text});
        return 0;
    }
    const document = try Document.parse(context.arena, text);
    try writeHead(context, document);
    try writeParts(context.out, document.scie.lift.files);
    try list.write(context.out, context.lift.boot);
    return 0;
}

fn writeHead(context: *const Context, document: Document) !void {
    const out = context.out;
    const jump = document.scie.jump;
    const lift = document.scie.lift;
    try out.writeAll(lift.name);
    if (lift.description) |description| try out.print(": {s}", .{description});
    const size = try file_status.length(context.executable.file);
    try out.print("\n  file      {s}, {f}\n  platform  {s}", .{ context.executable.path, Size{ .bytes = size }, lift.platform });
    if (lift.needs.glibc) |glibc| try out.print(", glibc {s} or newer", .{glibc});
    if (lift.base) |base| try out.print("\n  base      {s}", .{base});
    try out.print("\n  launcher  {s}, {f}, sha256 {s}\n", .{ jump.version, Size{ .bytes = jump.size }, jump.hash });
}

fn writeParts(out: *std.Io.Writer, parts: []const Document.Part) !void {
    try out.writeAll("parts:\n");
    for (parts) |part| {
        try out.print("  {s} ({s}): {s}\n    {f}, {f} installed, digest {s}\n", .{
            part.name,
            @tagName(part.kind),
            part.description,
            Size{ .bytes = part.size },
            Size{ .bytes = part.unpacked },
            part.digest,
        });
    }
}
