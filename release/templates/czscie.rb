class Czscie < Formula
  desc "Python program as one native executable per platform"
  version "@VERSION@"
  license "Apache-2.0"

@DOWNLOADS@

  def install
    bin.install Dir["czscie-*"].first => "czscie"
    bin.install_symlink "czscie" => "czscie-science"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/czscie --version")
  end
end
