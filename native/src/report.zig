//! Prints errors and notes to standard error.

const std = @import("std");
const testing = std.testing;
const console = @import("windows_console.zig");

/// The exit status of a start that fails before the application runs.
pub const exit_status = 1;

/// Prints `name: error: …` and exits. The lines after the first are details and a hint.
pub fn fatal(name: []const u8, comptime format: []const u8, arguments: anytype) noreturn {
    if (console.openOutput() == .none) {
        var buffer: [console.text_length_max]u8 = undefined;
        var text: std.Io.Writer = .fixed(&buffer);
        text.print(format, arguments) catch {}; // truncated
        console.showError(name, text.buffered());
    } else {
        print("{s}: error: " ++ format ++ "\n", .{name} ++ arguments);
    }
    std.process.exit(exit_status);
}

/// Prints a note and returns.
pub fn note(name: []const u8, comptime format: []const u8, arguments: anytype) void {
    const output = console.openOutput();
    defer console.closeOutput(output);
    if (output != .none) print("{s}: note: " ++ format ++ "\n", .{name} ++ arguments);
}

fn print(comptime format: []const u8, arguments: anytype) void {
    var buffer: [1024]u8 = undefined;
    var writer = std.fs.File.stderr().writerStreaming(&buffer);
    var escaping: Escaping = .{ .out = &writer.interface };
    escaping.interface.print(format, arguments) catch {};
    writer.interface.flush() catch {};
}

/// Escapes control characters other than line feeds and tabs (ECMA-48), as in `\x1b`: a path or a variable must not
/// control the terminal.
const Escaping = struct {
    out: *std.Io.Writer,
    interface: std.Io.Writer = .{ .vtable = &.{ .drain = drain }, .buffer = &.{} },

    fn drain(writer: *std.Io.Writer, data: []const []const u8, splat: usize) std.Io.Writer.Error!usize {
        const escaping: *Escaping = @fieldParentPtr("interface", writer);
        var taken: usize = 0;
        for (data, 1..) |text, number| for (0..if (number == data.len) splat else 1) |_| {
            try escape(escaping.out, text);
            taken += text.len;
        };
        return taken;
    }
};

fn escape(out: *std.Io.Writer, text: []const u8) std.Io.Writer.Error!void {
    var index: usize = 0;
    while (index < text.len) : (index += 1) {
        // U+0080 to U+009F are two bytes in UTF-8.
        const is_second = text[index] == 0xc2 and index + 1 < text.len and text[index + 1] & 0xe0 == 0x80;
        if (is_second) index += 1;
        const byte = text[index];
        const is_control = is_second or byte == 0x7f or (byte < 0x20 and byte != '\n' and byte != '\t');
        if (is_control) try out.print("\\x{x:0>2}", .{byte}) else try out.writeByte(byte);
    }
}

/// Describes a system error for people.
pub fn describe(err: anyerror) []const u8 {
    return switch (err) {
        error.AccessDenied, error.PermissionDenied => "permission denied",
        error.FileNotFound => "no such file or directory",
        error.NotDir => "a component of its path is not a directory",
        error.IsDir => "is a directory",
        error.NotAFile => "not a regular file",
        error.SymLinkLoop => "too many symbolic links, or one where none is allowed",
        error.BadPathName => "its path contains a colon, which separates library directories",
        error.NameTooLong => "its path is too long",
        error.ReadOnlyFileSystem => "read-only file system",
        error.NoSpaceLeft => "no space left on device",
        error.DiskQuota => "disk quota exceeded",
        error.FileTooBig => "file size limit exceeded (ulimit -f)",
        error.ProcessFdQuotaExceeded, error.SystemFdQuotaExceeded => "too many open files (ulimit -n)",
        error.OutOfMemory, error.SystemResources => "out of memory",
        error.MemoryLimit => "the memory limit is too small",
        error.InputOutput => "input/output error",
        error.PathAlreadyExists => "already exists",
        error.InvalidExe => "not a program that this system can run",
        error.OtherProcessor => "built for another processor",
        error.ElevationRequired => "it requires administrator rights",
        error.DisabledByPolicy => "a system policy forbids it",
        error.AntivirusInterference => "antivirus software blocks it",
        error.FileBusy => "another program is using it",
        error.FileLocksNotSupported => "the file system does not support locks",
        error.CorruptZip, error.CorruptPlan, error.CorruptEntry, error.CorruptFrame => "the file is damaged",
        error.Unexpected => "unexpected system error",
        else => @errorName(err),
    };
}

test "terminal control characters are escaped, and all else is unchanged" {
    const cases = [_][2][]const u8{
        .{ "a\x1b[31mb\r\x00\x7f", "a\\x1b[31mb\\x0d\\x00\\x7f" },
        .{ "\xc2\x9b\xc2\xa0\xc3\x9b\xc2", "\\x9b\xc2\xa0\xc3\x9b\xc2" },
        .{ "one\n\ttwo \xff", "one\n\ttwo \xff" },
    };
    for (cases) |case| {
        var buffer: [64]u8 = undefined;
        var out: std.Io.Writer = .fixed(&buffer);
        var escaping: Escaping = .{ .out = &out };
        try escaping.interface.print("{s}: {d}", .{ case[0], 7 });
        try testing.expectEqualStrings(case[1], out.buffered()[0 .. out.end - 3]);
        try testing.expectEqualStrings(": 7", out.buffered()[out.end - 3 ..]);
    }
}
