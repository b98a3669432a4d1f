//! The content of an installed file: the packed bytes unchanged, a rendered template, or a script with its first line.

const std = @import("std");
const testing = std.testing;
const plan = @import("plan.zig");
const Writer = std.Io.Writer;

/// The values of the placeholders of templates.
pub const Places = struct { base: []const u8, root: []const u8 };

/// Writes the content of `file` for an installation at `places`. `content` is its packed bytes.
pub fn render(out: *Writer, file: plan.File, content: []const u8, places: Places) Writer.Error!void {
    switch (file.kind) {
        .file => try out.writeAll(content),
        .fill => try fill(out, content, places),
        .script => {
            try writeShebang(out, places.root, file.interpreter);
            try out.writeAll(content);
        },
    }
}

/// Writes a template with `{base}` and `{root}` replaced.
pub fn fill(out: *Writer, template: []const u8, places: Places) Writer.Error!void {
    var rest = template;
    while (rest.len > 0) {
        const open = std.mem.indexOfScalar(u8, rest, '{') orelse rest.len;
        try out.writeAll(rest[0..open]);
        rest = rest[open..];
        if (std.mem.startsWith(u8, rest, "{base}")) {
            try out.writeAll(places.base);
            rest = rest["{base}".len..];
        } else if (std.mem.startsWith(u8, rest, "{root}")) {
            try out.writeAll(places.root);
            rest = rest["{root}".len..];
        } else if (rest.len > 0) {
            try out.writeAll(rest[0..1]);
            rest = rest[1..];
        }
    }
}

/// The longest first line of a script that all kernels accept: Linux before 5.1 truncates it after 127 bytes.
const shebang_length_max = 127;

/// Writes the first line of a script. `interpreter` is a path below `root`, and arguments. A path that kernels do not
/// accept (too long, or with a space) goes through /bin/sh, in two lines that Python reads as a string.
fn writeShebang(out: *Writer, root: []const u8, interpreter: []const u8) Writer.Error!void {
    const space = std.mem.indexOfScalar(u8, interpreter, ' ') orelse interpreter.len;
    const program = interpreter[0..space];
    const arguments = interpreter[space..];
    const length = "#!".len + root.len + 1 + interpreter.len;
    if (length <= shebang_length_max and std.mem.indexOfAny(u8, root, " \t\n") == null) {
        try out.print("#!{s}/{s}{s}\n", .{ root, program, arguments });
    } else {
        try out.writeAll("#!/bin/sh\n'''exec' '");
        for (root) |character| switch (character) {
            // Quoted with the other kind of quotes, the character means the same to the shell, and is no escape to
            // Python.
            '\'' => try out.writeAll("'\"'\"'"),
            '\\' => try out.writeAll("'\"\\\\\"'"),
            else => try out.writeByte(character),
        };
        try out.print("/{s}'{s} \"$0\" \"$@\"\n' '''\n", .{ program, arguments });
    }
}

fn written(buffer: []u8, comptime write: anytype, arguments: anytype) ![]const u8 {
    var out: Writer = .fixed(buffer);
    try @call(.auto, write, .{&out} ++ arguments);
    return out.buffered();
}

test "templates name the base directory and the installation" {
    var buffer: [256]u8 = undefined;
    const places: Places = .{ .base = "/b", .root = "/b/apps/x" };
    try testing.expectEqualStrings(
        "home = /b/i\n{other}{/b/apps/x{",
        try written(&buffer, fill, .{ "home = {base}/i\n{other}{{root}{", places }),
    );
}

test "the kernel starts a script if it can, else a shell does" {
    var buffer: [512]u8 = undefined;
    try testing.expectEqualStrings(
        "#!/b/bin/python -sE\n",
        try written(&buffer, writeShebang, .{ "/b", "bin/python -sE" }),
    );
    try testing.expectEqualStrings(
        "#!/bin/sh\n'''exec' '/a b$c\"'\"'\"'d'\"\\\\\"'e/bin/python' -s \"$0\" \"$@\"\n' '''\n",
        try written(&buffer, writeShebang, .{ "/a b$c\"'d\\e", "bin/python -s" }),
    );
    const long = try written(&buffer, writeShebang, .{ "/" ++ "l" ** 130, "bin/python" });
    try testing.expect(std.mem.startsWith(u8, long, "#!/bin/sh\n"));
}
