namespace TdxVerify.Properties.Exploration;

/// <summary>A value turned up for which the layout has no room: a wider one is made, and the search goes on.</summary>
internal sealed class LayoutTooSmallException : Exception;
