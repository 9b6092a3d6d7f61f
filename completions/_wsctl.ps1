# Completions for PowerShell, 7.3 or later: the program itself finds the candidates.

Register-ArgumentCompleter -Native -CommandName wsctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # The words before the cursor, as text: nothing in them is run.
    $words = @(foreach ($word in $commandAst.CommandElements) {
        if ($word.Extent.EndOffset -lt $cursorPosition) {
            if ($word -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $word.Value } else { $word.Extent.Text }
        }
    })
    # PowerShell splits a word at commas.
    $line = $commandAst.Extent.Text
    $line = $line.Substring(0, [math]::Min($cursorPosition - $commandAst.Extent.StartOffset, $line.Length))
    $listed = if ($line -match '(\S*,)[^\s,]*$') { $Matches[1] } else { '' }

    env COMPLETE=powershell wsctl -- @words "$listed$wordToComplete" 2>$null | ForEach-Object {
        $value, $help = $_.Substring($listed.Length) -split "`t", 2
        if (-not $help) { $help = $value }
        # If it gets no candidate, PowerShell completes a path.
        if ($value -notmatch '<(DIR|FILE)>$') {
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    }
}
