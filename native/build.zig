//! Builds the launcher and the fetcher: static programs with libzstd's decoder in them and no libc on Linux and Windows.
//!
//!     zig build -Dlibzstd=DIR -Dtarget=x86_64-linux-none -Doptimize=ReleaseSmall --prefix OUT
//!     zig build fetch -Dlibzstd=DIR … (the same options)
//!     zig build test -Dlibzstd=DIR
//!     zig build fuzz -Dlibzstd=DIR -- SECONDS [TARGET ...]
//!
//! DIR is the `lib` directory of zstd 1.5.7 (czscie's `launchers.libzstd` fetches it, pinned by hash).

const std = @import("std");

/// The sources of a decoder in zstd's `lib` directory: no compressor, no dictionary builder, no legacy formats.
const decoder_sources = [_][]const u8{
    "common/debug.c",
    "common/entropy_common.c",
    "common/error_private.c",
    "common/fse_decompress.c",
    "common/xxhash.c",
    "common/zstd_common.c",
    "decompress/huf_decompress.c",
    "decompress/zstd_ddict.c",
    "decompress/zstd_decompress.c",
    "decompress/zstd_decompress_block.c",
};

const decoder_flags = [_][]const u8{
    "-std=c11",
    // Speed matters more than the last kilobytes: every cold start decodes.
    "-O3",
    // Zig keeps frame pointers for profilers. Without them, decoding is 3% faster.
    "-fomit-frame-pointer",
    "-fno-sanitize=undefined",
    "-DZSTD_LEGACY_SUPPORT=0",
    "-DZSTD_TRACE=0",
    // The variant that prefetches what it copies: windows of 8 MiB are larger than the caches of a core. Large entries
    // decode 10% faster, groups of 4 MiB as fast as with the other variant.
    "-DZSTD_FORCE_DECOMPRESS_SEQUENCES_LONG=1",
    "-DZSTDLIB_VISIBLE=",
    "-DZSTDERRORLIB_VISIBLE=",
    "-DXXH_NAMESPACE=ZSTD_",
    // emmintrin.h includes a header that needs a libc's malloc.h; the decoder does not use it.
    "-D__MM_MALLOC_H",
};

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});
    const libzstd = b.option([]const u8, "libzstd", "the lib directory of zstd's source") orelse
        @panic("give -Dlibzstd=DIR, the lib directory of zstd's source");

    const launcher = b.addExecutable(.{
        .name = "launcher",
        .root_module = module(b, "src/main.zig", target, optimize, libzstd),
    });
    // Zig raises the stack limit to the size that a program requests, and the application would inherit the limit. So
    // request nothing (`process.raiseStackLimit` checks the limit).
    if (target.result.os.tag == .linux) launcher.stack_size = 0;
    // Space for the load command of a signature.
    if (target.result.os.tag == .macos) launcher.headerpad_size = 0x1000;
    b.installArtifact(launcher);

    const fetcher = b.addExecutable(.{
        .name = "fetch",
        .root_module = module(b, "src/fetch.zig", target, optimize, libzstd),
    });
    if (target.result.os.tag == .macos) fetcher.headerpad_size = 0x1000;
    const install_fetcher = b.addInstallArtifact(fetcher, .{});
    b.step("fetch", "Build the fetcher, for executables that do not contain all of their parts").dependOn(&install_fetcher.step);

    const tests = b.addTest(.{ .root_module = module(b, "src/main.zig", target, optimize, libzstd) });
    const fetcher_tests = b.addTest(.{ .root_module = module(b, "src/fetch.zig", target, optimize, libzstd) });
    const test_step = b.step("test", "Run the unit tests of both programs");
    test_step.dependOn(&b.addRunArtifact(tests).step);
    test_step.dependOn(&b.addRunArtifact(fetcher_tests).step);

    const fuzzer = b.addExecutable(.{
        .name = "fuzz",
        .root_module = module(b, "src/fuzz.zig", target, .ReleaseSafe, libzstd),
    });
    const fuzz = b.addRunArtifact(fuzzer);
    fuzz.addDirectoryArg(b.path("corpus"));
    if (b.args) |arguments| fuzz.addArgs(arguments);
    b.step("fuzz", "Fuzz the launcher's parsers: -- SECONDS [TARGET ...]").dependOn(&fuzz.step);
}

fn module(
    b: *std.Build,
    source: []const u8,
    target: std.Build.ResolvedTarget,
    optimize: std.builtin.OptimizeMode,
    libzstd: []const u8,
) *std.Build.Module {
    const root = b.createModule(.{
        .root_source_file = b.path(source),
        .target = target,
        .optimize = optimize,
        .strip = optimize != .Debug,
    });
    const lib: std.Build.LazyPath = .{ .cwd_relative = libzstd };
    // Before any libc's headers: they and compiler_rt have all that the decoder needs of a libc.
    root.addIncludePath(b.path("libzstd"));
    root.addCSourceFiles(.{ .root = lib, .files = &decoder_sources, .flags = &decoder_flags });
    root.addCSourceFile(.{ .file = b.path("libzstd/memory.c"), .flags = &.{ "-std=c11", "-O3", "-fno-builtin" } });
    if (target.result.cpu.arch == .x86_64 and target.result.os.tag != .windows) {
        root.addAssemblyFile(lib.path(b, "decompress/huf_decompress_amd64.S"));
    } else {
        root.addCMacro("ZSTD_DISABLE_ASM", "1");
    }
    return root;
}
