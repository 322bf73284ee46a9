namespace TdxVerify.Model;

/// <summary>Shared state as named numbers. Who stores them can see every access.</summary>
public interface ICells
{
    /// <summary>The value of a cell.</summary>
    ulong Read(Cell cell);

    /// <summary>Gives a cell a value.</summary>
    void Write(Cell cell, ulong value);
}
